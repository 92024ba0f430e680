"""The Big Five: five domains of six facets each; T scores and norms are elsewhere.

Domains after Goldberg (1990) and Costa and McCrae (1992); facets under the public names of the
IPIP-NEO-120 (Johnson 2014), each with the `code` of its domain and number: O1 to N6. The country
means (McCrae, Terracciano et al. 2005) cover domains only. Norms stand with the instruments.
"""

from functools import cache

from agents.frameworks.framework import Framework


@cache
def framework() -> Framework:
    """The five domains, each followed by its facets."""
    return Framework.read("ocean")
