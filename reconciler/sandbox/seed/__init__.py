"""Describes the world of a fresh data folder.

Ids are the same each time, so that manifests can name them; events lie around the day on which the folder is made.
"""

from reconciler.sandbox.seed.dental_practice import APP_ID, SITE_ID, harbor_dental

__all__ = ["APP_ID", "SITE_ID", "harbor_dental"]
