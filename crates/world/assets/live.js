// Runs before the page is painted: with a script there is no word about its absence, and everything that needs one is there.
document.documentElement.classList.add("live");
