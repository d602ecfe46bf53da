// The address of the search service, without a slash at the end. Nothing else changes when you deploy.
export const SERVICE_URL = "http://127.0.0.1:8080";
