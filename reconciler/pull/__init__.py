"""Pull: live connections written as manifests; existing files are edited without disturbing the rest of them."""
