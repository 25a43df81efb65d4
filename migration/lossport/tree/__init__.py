"""Reading a source tree: walking it, finding every place that names a legacy symbol, following what is done with it."""

from lossport.tree.closure import Closures, module_closure, source_digest
from lossport.tree.signatures import Parameter, Signature, signature_of
from lossport.tree.sites import Site, SiteReport, find_sites
from lossport.tree.survey import Problem

__all__ = [
    "Closures",
    "Parameter",
    "Problem",
    "Signature",
    "Site",
    "SiteReport",
    "find_sites",
    "module_closure",
    "signature_of",
    "source_digest",
]
