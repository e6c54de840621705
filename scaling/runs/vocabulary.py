"""The words of tables of runs: our columns, other people's names for them, and the limits of each quantity."""

from __future__ import annotations

import difflib

from .._words import plain

#: what a training run can have; outside, the unit is wrong (and 6ND would leave the floating-point range)
LIMITS = {
    "params": (1.0, 1e18),
    "tokens": (1.0, 1e21),
    "loss": (1e-6, 1e3),
    "flops": (1.0, 1e40),
    "params_nonembedding": (1.0, 1e18),
    "flops_nonembedding": (1.0, 1e40),
    "flops_exact": (1.0, 1e40),
    "budget": (1.0, 1e40),
}
#: other people's names for our columns, lower case without punctuation
ALIASES = {
    "params": "n nparams numparams nparameters parameters modelsize modelparams size totalparams",
    "tokens": "d ntokens numtokens trainingtokens traintokens datasize datasetsize tokensseen",
    "loss": "l finalloss valloss validationloss evalloss testloss trainloss smoothedloss crossentropy",
    "flops": "c compute flop trainingflop trainingflops trainflops computeflops totalflops",
}
#: columns that name rows, and are no quantity
LABELS = ("run", "seed", "status")
#: column of a table that was thinned in reading: the number of rows for which each row stands
STANDS_FOR = "stands_for"
UNIT_HINTS = {
    "params": "params is a count of parameters: 70 billion is 70e9",
    "tokens": "tokens is a count of tokens: 1.4 trillion is 1.4e12",
    "loss": "loss is in nats per token: the logarithm of a perplexity; bits per token times ln 2 = 0.6931",
    "flops": "flops counts floating-point operations: one PF-day is 8.64e19",
}


def closest_column(name: str, candidates: list, cutoff: float = 0.75) -> object | None:
    """The candidate that most looks like ``name`` (its usual aliases counted), or None."""
    normal = {plain(c): c for c in reversed(candidates)}
    for known in [plain(name), *ALIASES.get(name, "").split()]:
        if known in normal:
            return normal[known]
    close = difflib.get_close_matches(plain(name), list(normal), n=1, cutoff=cutoff)
    return normal[close[0]] if close else None


#: more of them than :func:`closest_column` suggests, lower case without punctuation
_MORE = {
    "params": "param paramcount parametercount numberofparameters numberofparams paramstotal totalparameters "
    "modelparameters trainableparams trainableparameters nparam numparam weights",
    "tokens": "token numberoftokens totaltokens tokenstrained ntraintokens numtraintokens "
    "numtrainingtokens tokencount datasettokens tokensprocessed consumedtokens tokenstotal",
    "loss": "finalvalloss finaltrainloss finalevalloss finaltestloss valcrossentropy validationcrossentropy "
    "evalcrossentropy crossentropyloss celoss valceloss nll valnll testnll trainingloss lossfinal "
    "lossval losstest lossvalidation losseval losstrain heldoutloss devloss",
    "flops": "trainingcompute traincompute totalcompute floptotal totalflop trainflop flopcount flopscount",
    "params_nonembedding": "nonembeddingparams nonembeddingparameters nparamsnonembedding paramsnonemb nonembparams "
    "paramsnoembedding paramswithoutembeddings nnonembedding",
    "flops_nonembedding": "nonembeddingflops",
    "flops_exact": "exactflops measuredflops",
    "budget": "isoflop isoflopbudget computebudget flopbudget flopsbudget nominalflops isoflopgroup",
    "run": "runid runname experiment experimentid",
    "seed": "randomseed rngseed",
    "status": "state runstatus runstate",
}
KNOWN_NAMES = {
    ours: {ours.replace("_", ""), *ALIASES.get(ours, "").split(), *more.split()} for ours, more in _MORE.items()
}
