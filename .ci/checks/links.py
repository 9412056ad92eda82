"""Checks the relative links of all Markdown files: the file is there, and so is the heading behind a #."""

import pathlib
import re
import subprocess
import sys

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^(```|~~~).*?^\1", re.M | re.S)


def anchors(text):
    """The names that hosting sites give to headings: lower case, no punctuation, spaces as hyphens."""
    headings = re.findall(r"^#+\s+(.*?)\s*$", FENCE.sub("", text), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def main():
    listed = subprocess.run(
        ["git", "ls-files", "-c", "-o", "--exclude-standard", "*.md"], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    pages = [pathlib.Path(name) for name in listed if pathlib.Path(name).is_file()]
    broken = []
    links = 0
    for page in pages:
        text = page.read_text(encoding="utf-8")
        for link in LINK.findall(FENCE.sub("", text)):
            if re.match(r"[a-z]+:", link):
                continue
            links += 1
            name, _, anchor = link.partition("#")
            target = (page.parent / name) if name else page
            if not target.exists():
                broken.append(f"{page}: {link}: there is no {target}")
            elif anchor and target.suffix == ".md" and anchor not in anchors(target.read_text(encoding="utf-8")):
                broken.append(f"{page}: {link}: {target} has no such heading")
    print("\n".join(broken) or f"  {links} links in {len(pages)} pages", file=sys.stderr if broken else sys.stdout)
    return 1 if broken or links == 0 else 0


sys.exit(main())
