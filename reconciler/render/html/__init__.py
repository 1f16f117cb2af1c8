"""Reports as one HTML file each: no network, no font, image or script from elsewhere, readable without scripts."""
