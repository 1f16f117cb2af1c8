"""What every page must be on every screen."""

from tests.support.browser import Browser


def assert_legible(window: Browser) -> None:
    """Nothing of the page that is shown overflows or is too faint to be read."""
    assert window.value("document.documentElement.scrollWidth <= document.documentElement.clientWidth") is True
    assert window.value(_CONTRAST) is True


_CONTRAST = """(() => {
  const shade = colour => {
    const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map(v => v / 255)
      .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = e => {
    const colour = getComputedStyle(e).backgroundColor;
    return colour === 'rgba(0, 0, 0, 0)' ? behind(e.parentElement) : colour;
  };
  return [...document.querySelectorAll('h1, h2, p, dt, dd, a, footer')].every(e => {
    const [a, b] = [shade(getComputedStyle(e).color), shade(behind(e))].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05) >= 4.5;
  });
})()"""
