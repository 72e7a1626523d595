"""Prints the URLs that a package index needs: its own, and one per host that its files are on.

Arguments: the URLs of simple indexes. The index is asked, so that no registry's name stands in the
lab's code.
"""

import html.parser
import sys
import urllib.parse
import urllib.request


class Links(html.parser.HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.page, self.found = page, set()

    def handle_starttag(self, tag, attributes):
        link = dict(attributes).get("href") if tag == "a" else None
        if link:
            url = urllib.parse.urlsplit(urllib.parse.urljoin(self.page, link))
            self.found.add(f"{url.scheme}://{url.netloc}/")


for index in sys.argv[1:]:
    page = index.rstrip("/") + "/pip/"
    request = urllib.request.Request(page, headers={"Accept": "text/html"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        links = Links(answer.url)
        links.feed(answer.read().decode())
    print(index, *sorted(links.found), sep="\n")
