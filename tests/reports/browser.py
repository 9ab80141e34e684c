"""Opens an HTML report in headless Chromium as a person would, and measures how long a long one takes:

    python browser.py REPORT.html [MANY.html] [--runs 5] [--chromium /usr/bin/chromium] [--picture PATH.png]

Needs `pip install playwright` and a Chromium (Debian: `apt install chromium`); no test of the Rust gate needs either.
Checks, and exits with 1 at the first that fails: nothing is loaded but the file itself, the content policy is there and
holds, hostile text is text, there is a score, each filter shows what it says and the count with it, the lineage is
drawn, paper shows the findings open and no filters. Of MANY.html it prints the time from opening the file to the first
frame in which it can be used, and to the last row.
"""

import argparse
import re
import statistics
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright


def check(what: str, holds: bool) -> None:
    print(f"{'ok  ' if holds else 'FAIL'} {what}")
    if not holds:
        sys.exit(1)


def watched(browser, asked: list, said: list):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    return page


def visible(page) -> list:
    return page.eval_on_selector_all("details.v", "rows => rows.filter(r => !r.hidden && r.checkVisibility()).map(r => ({...r.dataset}))")


def looks(browser, report: Path, picture) -> None:
    asked, said = [], []
    page = watched(browser, asked, said)
    page.goto(report.as_uri())
    check("nothing is loaded but the file itself", asked == [report.as_uri()])
    check(f"the page has nothing to complain about {said[:2]}", not said)
    policy = page.get_attribute("meta[http-equiv=Content-Security-Policy]", "content") or ""
    check("a content policy that begins with nothing", policy.startswith("default-src 'none'"))
    check("no address of elsewhere", not re.search(r"(?:src|href)\s*=\s*[\"']?(?:https?:)?//", report.read_text("utf-8")))

    # The policy must hold in the browser, not only stand in the page.
    page.evaluate("""() => { const s = document.createElement('script'); s.textContent = 'window.hacked = 1';
        document.body.append(s); const i = new Image(); i.src = 'http://127.0.0.1:9/x.png'; document.body.append(i); }""")
    page.wait_for_timeout(100)
    check("a script that was slipped in does not run", page.evaluate("window.hacked === undefined"))
    # The browser names a request that its policy stopped, but nothing is sent: that is in what it says.
    check("a picture from elsewhere is refused", any("Content Security Policy" in text for text in said))
    page.close()

    page = watched(browser, [], [])
    page.goto(report.as_uri())
    score = page.inner_text("body")
    check("there is a score", re.search(r"Score (\d+|-) of 100", score) is not None)
    rows = page.eval_on_selector_all("details.v", "rows => rows.length")
    check(f"{rows} rows, all of them shown", rows > 0 and len(visible(page)) == rows)
    for name in ("status", "severity", "area"):
        values = page.eval_on_selector_all(f"select[name={name}] option", "all => all.map(o => o.value || o.textContent)")
        for value in [value for value in values if not value.startswith("any ")]:
            page.select_option(f"select[name={name}]", label=value)
            shown = visible(page)
            total = page.eval_on_selector_all("details.v", "(rows, [n, v]) => rows.filter(r => r.dataset[n] === v).length", [name, value])
            count = page.inner_text("#shown")
            if not (len(shown) == total and all(row[name] == value for row in shown) and count.startswith(f"{total} of")):
                check(f"{name} {value}: {len(shown)} shown, {total} there, said {count}", False)
        page.select_option(f"select[name={name}]", index=0)
    check("every choice of every filter shows what it says", len(visible(page)) == rows)
    word = page.eval_on_selector("details.v .mono", "cell => cell.textContent")
    page.fill("#text", word)
    check(f"words filter ({word})", 0 < len(visible(page)) < rows or rows == 1)
    page.fill("#text", "nothing says this")
    check("and leave nothing where nothing fits", not visible(page) and page.inner_text("#shown").startswith("0 of"))
    page.fill("#text", "")
    check("the lineage is drawn", page.locator("svg rect").count() > 0 and page.locator("svg path").count() > 0)
    check("a row opens", page.evaluate("() => { const r = document.querySelector('details.v'); r.querySelector('summary').click(); return r.open; }"))
    if picture:
        page.screenshot(path=picture, full_page=False)
    page.emulate_media(media="print")
    check("paper has no filters", not page.is_visible(".filters"))
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    check("paper shows every finding open", page.eval_on_selector_all(
        "details.v", "rows => rows.every(r => r.open || r.dataset.status === 'PASS')"))
    paper = page.pdf()
    check(f"it prints ({len(paper) // 1024} KiB)", paper.startswith(b"%PDF"))
    check("hostile text ran nowhere", page.evaluate("window.hacked === undefined"))
    page.close()


def opens(browser, path: Path, runs: int) -> None:
    first, whole, filtered, rows = [], [], [], 0
    frame = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now()))))"
    for _ in range(runs):
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(path.as_uri(), wait_until="load")
        # The second frame after loading: the first that holds the page has then been shown.
        first.append(page.evaluate(frame))
        rows = int(page.get_attribute("#shown", "data-all"))
        # Not wait_for_function: it evaluates text, which the page's own policy forbids.
        page.evaluate("""wanted => new Promise(done => { const at = document.getElementById('shown');
            const look = () => at.textContent === wanted ? done() : setTimeout(look, 5); look(); })""", f"{rows} of {rows}")
        whole.append(page.evaluate("performance.now()"))
        if page.locator("details.v").count() != rows:
            check(f"all {rows} rows are there", False)
        filtered.append(page.evaluate("""() => new Promise(done => { const from = performance.now();
            const pick = document.querySelector('select[name=status]'); pick.value = 'FAIL'; pick.dispatchEvent(new Event('change'));
            requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - from))); })"""))
        page.close()
    told = lambda times: f"{statistics.median(times):.0f} ms median ({min(times):.0f}-{max(times):.0f}, n={runs})"
    print(f"{rows} rows, {path.stat().st_size / 1e6:.1f} MB: usable {told(first)}; every row built {told(whole)}; a filter {told(filtered)}")
    check("opens in less than a second", statistics.median(first) < 1000)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("report", type=Path)
    parser.add_argument("many", type=Path, nargs="?")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    parser.add_argument("--picture")
    asked = parser.parse_args()
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=asked.chromium)
        looks(browser, asked.report.resolve(), asked.picture)
        if asked.many:
            opens(browser, asked.many.resolve(), asked.runs)
        browser.close()


if __name__ == "__main__":
    main()
