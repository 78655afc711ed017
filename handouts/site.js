// SPDX-License-Identifier: MIT
// Dark or light, and the search: its index is a script too (search-index.js), since a page that was opened
// as a file may load scripts and nothing else.
"use strict";

(function () {
	const root = document.documentElement;
	const button = document.getElementById("theme");
	const dark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
	const label = () => { button.textContent = dark() ? "Light" : "Dark"; };

	button.hidden = false;
	button.addEventListener("click", () => {
		root.dataset.theme = dark() ? "light" : "dark";
		try { localStorage.setItem("theme", root.dataset.theme); } catch (e) { /* a browser that keeps nothing for files */ }
		label();
	});
	matchMedia("(prefers-color-scheme: dark)").addEventListener("change", label);
	label();

	// A narrow screen shows the text first, its contents when asked.
	const contents = document.querySelector("nav.pages details");
	const narrow = matchMedia("(max-width: 60rem)");
	const fit = () => { contents.open = !narrow.matches; };
	narrow.addEventListener("change", fit);
	fit();
})();

(function () {
	const form = document.getElementById("search");
	const input = form.querySelector("input");
	const found = document.getElementById("found");
	const words = (text) => text.toLowerCase().match(/[\p{L}\p{N}_]+/gu) || [];
	const escape = (text) => text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);
	const shown = 12;

	// How well a section fits: each word must occur at the beginning of a word, in a title for more.
	function score(section, asked) {
		const title = " " + words(section.title).join(" "), text = " " + section.words;
		let sum = 0;
		for (const word of asked) {
			const inTitle = title.includes(" " + word), times = text.split(" " + word).length - 1;
			if (!inTitle && !times)
				return 0;
			sum += (inTitle ? 20 : 0) + Math.min(times, 5) + (text.includes(" " + word + " ") ? 2 : 0);
		}
		return sum;
	}

	// A few words around the first that was asked for.
	function excerpt(text, asked) {
		const at = asked.map((w) => text.toLowerCase().search(new RegExp("(^|[^\\p{L}\\p{N}_])" + w, "u"))).filter((i) => i >= 0);
		const from = Math.max(0, (at.length ? Math.min(...at) : 0) - 50);
		const piece = (from ? "…" : "") + text.slice(from, from + 170) + "…";
		return escape(piece).replace(new RegExp("(?<![\\p{L}\\p{N}_])(" + asked.join("|") + ")", "giu"), "<mark>$1</mark>");
	}

	function search() {
		const asked = words(input.value);
		if (!asked.length) {
			found.hidden = true;
			return;
		}
		const hits = window.SECTIONS.map((s) => [score(s, asked), s]).filter((h) => h[0]).sort((a, b) => b[0] - a[0]);
		found.innerHTML = "<p role=\"status\">" + (hits.length ? hits.length + (hits.length === 1 ? " section" : " sections") : "Nothing") + " found</p>" +
			hits.slice(0, shown).map(([, s]) => "<a href=\"" + s.where + "\"><b>" + escape(s.title) + "</b> · " + escape(s.page) +
				"<small>" + excerpt(s.text, asked) + "</small></a>").join("");
		found.hidden = false;
	}

	// From the input and from link to link with the arrow keys.
	function move(step) {
		const links = [input, ...found.querySelectorAll("a")];
		links[Math.max(0, Math.min(links.length - 1, links.indexOf(document.activeElement) + step))].focus();
	}

	for (const section of window.SECTIONS)
		section.words = words(section.text).join(" ") + " ";
	form.hidden = false;
	input.value = new URLSearchParams(location.search).get("q") || "";
	search();
	input.addEventListener("input", search);
	input.addEventListener("focus", search);
	form.addEventListener("submit", (e) => {
		const first = found.querySelector("a");
		e.preventDefault();
		if (first && !found.hidden)
			location.href = first.href;
	});
	form.addEventListener("keydown", (e) => {
		if (e.key === "ArrowDown" || e.key === "ArrowUp") {
			e.preventDefault();
			move(e.key === "ArrowDown" ? 1 : -1);
		}
	});
	document.addEventListener("keydown", (e) => {
		if (e.key === "/" && document.activeElement !== input && !e.ctrlKey && !e.metaKey && !e.altKey) {
			e.preventDefault();
			input.focus();
		} else if (e.key === "Escape") {
			found.hidden = true;
			input.blur();
		}
	});
	document.addEventListener("click", (e) => { if (!form.contains(e.target)) found.hidden = true; });
	found.addEventListener("click", (e) => { if (e.target.closest("a")) found.hidden = true; });
})();
