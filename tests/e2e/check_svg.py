# SPDX-License-Identifier: BSD-2-Clause
"""python: flame graphs as SVG, in a real browser: they are well formed, weigh what the folded stacks weigh, and zoom,
search and turn; names can contain anything."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import xml.dom.minidom

from harness import PYMEMTOP, Target, check, record

python = sys.argv[1]
BROWSER = shutil.which("chromium")
WIDTH = 1180
# Does with a box what a user would, and says what has come of it.
CLICKS = """
const say = document.createElementNS("http://www.w3.org/2000/svg", "desc");
const named = text => [...document.querySelectorAll("g.box")].find(g =>
	g.querySelector("title").textContent.startsWith(text));
const click = element => element.dispatchEvent(new MouseEvent("click", {bubbles: true}));
const box = named(%s), rect = box.querySelector("rect");
const now = () => ({
	width: parseFloat(rect.getAttribute("width")), y: parseFloat(rect.getAttribute("y")),
	shown: [...document.querySelectorAll("g.box")].filter(g => g.style.display !== "none").length,
	said: document.getElementById("said").textContent, matches: document.querySelectorAll("g.match").length,
});
const steps = [now()];
click(rect); steps.push(now());
click(document.getElementById("reset")); steps.push(now());
window.prompt = () => %s;
click(document.getElementById("search")); steps.push(now());
click(document.getElementById("search")); steps.push(now());
click(document.getElementById("turn")); steps.push(now());
say.id = "steps";
say.textContent = JSON.stringify(steps);
document.documentElement.appendChild(say);
"""


def run(*args):
    subprocess.run([PYMEMTOP, *args], check=True, timeout=100)


def boxes(path):
    """Parses the file as XML. Returns each box's name, bytes of its width, and depth from below."""
    svg = xml.dom.minidom.parse(path).documentElement
    rows = []
    for g in svg.getElementsByTagName("g"):
        if g.getAttribute("class").startswith("box"):
            title, = g.getElementsByTagName("title")
            rect, = g.getElementsByTagName("rect")
            rows.append((title.firstChild.data.split("\n")[0], float(rect.getAttribute("width")),
                         float(rect.getAttribute("y"))))
    return rows


def clicked(path, name, wanted):
    """Returns what the picture says at first, zoomed into a box, back, searched, not searched, and turned."""
    with open(path) as file:
        text = file.read()
    script = CLICKS % (json.dumps(name), json.dumps(wanted))
    with open(path + ".clicked.svg", "w") as file:
        file.write(text.replace("</svg>\n", "<script><![CDATA[%s]]></script></svg>\n" % script))
    done = subprocess.run([BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom",
                           "file://" + path + ".clicked.svg"], capture_output=True, text=True, timeout=100)
    found = re.search(r'<desc id="steps">(.*?)</desc>', done.stdout, re.DOTALL)
    check(found, "no answer from the browser", done.stdout[-2000:], done.stderr[-2000:])
    return json.loads(found.group(1).replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&"))


def near(a, b):
    return abs(a - b) < 0.02


with tempfile.TemporaryDirectory() as folder:
    saved, svg, folded = (os.path.join(folder, "mem." + ending) for ending in ("json", "svg", "folded"))
    target, profile = record(python, "stacks.py")
    with open(saved, "w") as file:
        json.dump(profile, file)
    run("report", saved, "-o", svg)
    run("report", saved, "-o", folded)

    with open(folded) as file:
        stacks = [line.rsplit(" ", 1) for line in file]
    total = sum(int(weight) for _, weight in stacks)
    rows = boxes(svg)
    check(near(rows[0][1], WIDTH), rows[0])
    # Each box is as wide as the stacks through it: by frames that are at one depth only.
    depth = {}
    for stack, weight in stacks:
        for i, frame in enumerate(stack.split(";")):
            depth.setdefault(i, {}).setdefault(frame, 0)
            depth[i][frame] += int(weight)
    bottom = max(y for _, _, y in rows)
    compared = 0
    for i, frames in depth.items():
        for frame, weight in frames.items():
            drawn = [width for name, width, y in rows if name.replace(";", ":") == frame and y == bottom - 16 * i]
            if weight / total * WIDTH < 0.2:
                continue
            check(near(sum(drawn), weight / total * WIDTH) or
                  abs(sum(drawn) - weight / total * WIDTH) < 0.1 * len(frames), i, frame, weight, drawn)
            compared += 1
    print("%d boxes, %d compared with the folded stacks, %d bytes" % (len(rows), compared, total))
    check(compared > 10, compared)

    name, width, _ = max((row for row in rows if "stacks.py" in row[0] and row[1] < WIDTH * 0.9),
                         key=lambda row: row[1])
    first, zoomed, back, searched, cleared, turned = clicked(svg, name, re.escape(name).replace("/", "/"))
    print(name, first, zoomed, searched, sep="\n")
    check(near(zoomed["width"], WIDTH) and zoomed["shown"] <= first["shown"], zoomed)
    check(near(back["width"], width) and back["shown"] == first["shown"], back)
    check(searched["said"].startswith("Matched: ") and searched["matches"] >= 1, searched)
    check(float(searched["said"].split()[1].rstrip("%")) >= 100 * width / WIDTH - 0.1, searched)
    check(not cleared["said"] and not cleared["matches"], cleared)
    check(turned["y"] != first["y"], turned)

    # Names that would be markup, in a saved file that somebody else may have written.
    with open(saved) as file:
        profile = json.load(file)
    evil = '</title><script>alert(1)</script>&]]>"\u202e\x1b'
    profile["processes"][0]["comm"] = evil
    for stack in profile["processes"][0]["stacks"]:
        stack["frames"][-1]["function"] = evil
    with open(saved, "w") as file:
        json.dump(profile, file)
    run("report", saved, "-f", "svg", "-o", svg)
    names = [name for name, _, _ in boxes(svg)]
    check(any("<script>" in name for name in names), names[:5])
    with open(svg) as file:
        text = file.read()
    check(text.count("<script>") == 1 and "\x1b" not in text and "\u202e" not in text, "not escaped")

    target = Target(python, "holds.py")
    run("inspect", "-p", str(target.pid), "-o", svg)
    rows = boxes(svg)
    print("inspect: %d boxes" % len(rows))
    check(len(rows) > 10 and near(rows[0][1], WIDTH), rows[:3])
    target.end()
