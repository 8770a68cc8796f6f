// SPDX-License-Identifier: BSD-2-Clause
// Zooms into a box on a click, searches, and turns the picture upside down.
"use strict";
(() => {
	const svg = document.documentElement;
	const boxes = [...svg.querySelectorAll("g.box")].map(g => {
		const rect = g.querySelector("rect"), text = g.querySelector("text");
		const of = name => parseFloat(rect.getAttribute(name));
		const [name, ...rest] = g.querySelector("title").textContent.split("\n");

		return {g, rect, text, name, rest, x: of("x"), y: of("y"), width: of("width")};
	});
	const frame = svg.getElementById("frame"), said = svg.getElementById("said");
	const total = boxes.length ? boxes[0].width : 1, left = boxes.length ? boxes[0].x : 0;
	const lowest = Math.max(...boxes.map(box => box.y)), highest = Math.min(...boxes.map(box => box.y));
	let zoomed = boxes[0], upside_down = false, wanted = null;

	// As many characters as have room: 7 units each, as in the file.
	function label(box, width) {
		const room = Math.floor((width - 6) / 7);

		return room < 3 ? "" : box.name.length <= room ? box.name : box.name.slice(0, room - 2) + "..";
	}

	function draw() {
		const scale = total / zoomed.width;

		for (const box of boxes) {
			const inside = box.x < zoomed.x + zoomed.width - 1e-6 && box.x + box.width > zoomed.x + 1e-6;
			const x = left + Math.max(0, (box.x - zoomed.x) * scale);
			const end = left + Math.min(total, (box.x + box.width - zoomed.x) * scale);
			const y = upside_down ? lowest + highest - box.y : box.y;

			box.g.style.display = inside ? "" : "none";
			if (!inside)
				continue;
			box.rect.setAttribute("x", x);
			box.rect.setAttribute("width", Math.max(0, end - x));
			box.rect.setAttribute("y", y);
			box.text.setAttribute("x", x + 3);
			box.text.setAttribute("y", y + 12);
			box.text.textContent = label(box, end - x);
			// What the zoomed one stands on.
			box.g.classList.toggle("under", box.y > zoomed.y + 1e-6);
		}
		svg.getElementById("reset").style.display = zoomed === boxes[0] ? "none" : "";
	}

	// Of boxes in boxes that match, only the outer ones count.
	function search() {
		let matched = 0, ends = [];

		for (const box of [...boxes].sort((a, b) => b.y - a.y || a.x - b.x)) {
			const hit = wanted !== null && wanted.test(box.name);

			box.g.classList.toggle("match", hit);
			if (hit && !ends.some(([x, end]) => box.x >= x - 1e-6 && box.x + box.width <= end + 1e-6)) {
				ends.push([box.x, box.x + box.width]);
				matched += box.width;
			}
		}
		said.textContent = wanted === null ? "" : "Matched: " + (100 * matched / total).toFixed(1) + "%";
	}

	function ask() {
		const text = wanted === null ? window.prompt("Search for (a regular expression):", "") : "";

		try {
			wanted = text ? new RegExp(text, "i") : null;
			search();
		} catch (error) {
			wanted = null;
			said.textContent = error.message;
		}
	}

	frame.addEventListener("click", event => {
		const g = event.target.closest("g.box"), box = boxes.find(box => box.g === g);

		if (box) {
			zoomed = box;
			draw();
		}
	});
	svg.getElementById("reset").addEventListener("click", () => { zoomed = boxes[0]; draw(); });
	svg.getElementById("search").addEventListener("click", ask);
	svg.getElementById("turn").addEventListener("click", () => { upside_down = !upside_down; draw(); });
	window.addEventListener("keydown", event => {
		if (event.key === "/" || (event.key === "f" && (event.ctrlKey || event.metaKey))) {
			event.preventDefault();
			ask();
		} else if (event.key === "Escape") {
			zoomed = boxes[0];
			wanted = null;
			search();
			draw();
		}
	});
	svg.querySelectorAll(".script").forEach(element => { element.style.display = ""; });
	draw();
})();
