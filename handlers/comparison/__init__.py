"""What if: the same patient beside patients whose findings differ in one point."""

from handlers.comparison.variants import AS_ANSWERED, Variant, variants
from handlers.comparison.view import Compared, comparison_blocks, comparison_text

__all__ = ["AS_ANSWERED", "Compared", "Variant", "comparison_blocks", "comparison_text", "variants"]
