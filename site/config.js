// The address of the search service, without a slash at its end. The only line to change when you deploy.
export const SERVICE_URL = "http://127.0.0.1:8080";
