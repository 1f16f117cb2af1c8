"""Names as a hostile or careless person may choose them, and how they may be put into any report."""

from hypothesis import strategies as st

HOSTILE = (
    "<script>document.title='owned'</script>",
    '"><img src=x onerror="document.title=\'owned\'">',
    "</title></style></script><svg onload=document.title='owned'>",
    "[click](https://evil.example) ![](https://evil.example/pixel.png)",
    "@everyone @harbor/admins #123 GH-1 harbor/calendar#7 https://evil.example www.evil.example a@evil.example",
    "`code` ``double`` ```fence```",
    "`",
    "\\`<b>bold</b>\\`",
    "*bold* _it_ ~~gone~~ | pipe | <!-- comment",
    "</summary></details><details open><summary>feigned",
    "line\n\n# Heading\n- [x] done\r\n---\n> quote",
    "\u202egnp.exe\u2066 \x1b[2Jreversed\u200b\x00",
    "{{7*7}} ${7*7} %0A::error::feigned",
    "&lt;script&gt; &#64;everyone &commat;everyone",
    "$`x`$ $$y$$",
    "--> </code></pre> ]]>",
    "הרופא ד״ר כהן",
    "عيادة (الأسنان) 123",
    "",
    " ",
    "x" * 2_000,
)

_PIECES = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(max_size=30),
    st.text(alphabet="`\\<>[]()!*_~|#@&;:/.$-+= \n\tab1", max_size=60),
)
texts = st.lists(_PIECES, min_size=1, max_size=4).map("".join)
"""Texts that try to be more than text."""
