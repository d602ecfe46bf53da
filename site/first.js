// Before the first paint, for an address without a search: the start, so that nothing moves later.
document.documentElement.classList.toggle("at-start", !/[?&](key|kept)\b/.test(location.search));
