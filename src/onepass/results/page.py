"""What a page is made of besides its content: the style, the colors, and the slider of scores.

The slider is the only thing that runs, and the page's policy lets nothing run but its exact text.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256
from zlib import crc32

# Paul Tol's "muted" scheme, told apart under the common kinds of color blindness; its indigo is
# lighter here, to be seen on black.
PALETTE = (
    "#cc6677", "#5b5bd6", "#ddcc77", "#117733", "#88ccee",
    "#882255", "#44aa99", "#999933", "#aa4499",
)  # fmt: skip
CSS = """
.onepass{font:15px/1.5 system-ui,sans-serif;color:CanvasText;background:Canvas;max-width:60rem}
.onepass h2{font-size:1rem;margin:1.2rem 0 .4rem}
.onepass .text{white-space:pre-wrap;overflow-wrap:anywhere;unicode-bidi:plaintext;text-align:start;
 line-height:calc(1.9em + var(--lanes)*4px);border:1px solid #8886;border-radius:4px;padding:.6rem}
.onepass mark{color:inherit;background:none;-webkit-box-decoration-break:clone;
 box-decoration-break:clone}
.onepass .tag::after{content:attr(data-label);font-size:.68em;font-weight:600;margin:0 .25em;
 padding:.1em .35em;border-radius:3px;border:1px solid var(--c);background:Canvas;
 unicode-bidi:isolate}
.onepass .key{display:inline-block;margin:0 .8em .3em 0;border-bottom:4px solid var(--c)}
.onepass table{border-collapse:collapse}
.onepass th,.onepass td{border:1px solid #8886;padding:.2rem .5rem;text-align:start;
 vertical-align:top;white-space:pre-wrap;overflow-wrap:anywhere}
.onepass .bar{width:12rem}
.onepass .bar i{display:block;height:.8em;margin-top:.35em;background:#117733;width:var(--w)}
.onepass .arrow{color:#777;margin:0 .4em}
.onepass small{color:#777}
.onepass .low{display:none}
.onepass bdi.low{display:inline;opacity:.3}
.onepass .arcs{overflow-x:auto}
.onepass svg text{font:13px ui-monospace,monospace;text-anchor:middle;fill:CanvasText;
 unicode-bidi:plaintext}
.onepass svg path{fill:none;stroke:var(--c,#777);stroke-width:2px}
.onepass svg .arc path{stroke-width:1.2px}
.onepass svg .arc .tip{fill:#777}
.onepass svg .arc text{font-size:11px;paint-order:stroke;stroke:Canvas;stroke-width:4px}
.least{font:15px/1.5 system-ui,sans-serif;position:sticky;top:0;z-index:1;background:Canvas}
"""

# Hides what scores less: by a class where it is an element of its own, by the color of its line
# where several run through one piece of text.
SCRIPT = """
(function () {
  var slider = document.getElementById("least"), said = document.getElementById("said");
  var rest = document.querySelectorAll("[data-score]"), marks = [];
  document.querySelectorAll("mark[data-scores]").forEach(function (mark) {
    var scores = mark.dataset.scores.split(" ").map(Number);
    var lines = scores.map(function (_, n) { return mark.style.getPropertyValue("--l" + n); });
    marks.push([mark, scores, lines, mark.style.getPropertyValue("--t")]);
  });
  function color(mark, name, value, low) {
    mark.style.setProperty(name, low ? "transparent" : value);
  }
  function show() {
    var least = slider.valueAsNumber;
    said.value = least.toFixed(2);
    marks.forEach(function (m) {
      m[1].forEach(function (score, n) { color(m[0], "--l" + n, m[2][n], least > score); });
      color(m[0], "--t", m[3], least > m[1][0]);
    });
    rest.forEach(function (one) {
      one.classList.toggle("low", least > Number(one.dataset.score));
    });
  }
  slider.addEventListener("input", show);
  slider.parentNode.hidden = false;
})();
"""
SLIDER = """<label class="least" hidden>Least score \
<input id="least" type="range" min="0" max="1" step="0.01" value="0"> \
<output id="said">0.00</output></label>
"""
_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; \
style-src 'unsafe-inline'; script-src 'sha256-{digest}'">
<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<title>{title}</title><style>{css}</style></head>
<body>{slider}{body}<script>{script}</script></body></html>
"""


def page(title: str, body: str) -> str:
    """Return a whole page.

    Args:
        title: escaped already.
        body: HTML.

    >>> "sha256-" in page("a", "b")
    True
    """
    digest = b64encode(sha256(SCRIPT.encode()).digest()).decode()
    return _PAGE.format(
        title=title, css=CSS, slider=SLIDER, body=body, script=SCRIPT, digest=digest
    )


def colors_of(labels: Iterable[str]) -> dict[str, str]:
    """Give each label the color of its hash, or the next free one."""
    colors: dict[str, str] = {}
    free = list(range(len(PALETTE)))
    for label in sorted(set(labels)):
        free = free or list(range(len(PALETTE)))
        wanted = crc32(label.encode("utf-8", "surrogatepass")) % len(PALETTE)
        colors[label] = PALETTE[free.pop(next((i for i, c in enumerate(free) if c >= wanted), 0))]
    return colors
