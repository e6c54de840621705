"""The words of tables of runs: our columns, other people's names for them, and the limits of each quantity."""

from __future__ import annotations

import difflib
from functools import lru_cache

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
    "unique_tokens": (1.0, 1e21),
}
#: other people's names for our columns, lower case without punctuation
ALIASES = {
    "params": "n nparams numparams nparameters parameters modelsize modelparams size totalparams",
    "tokens": "d ntokens numtokens trainingtokens traintokens datasize datasetsize tokensseen",
    "loss": "l finalloss valloss validationloss evalloss testloss trainloss smoothedloss crossentropy",
    "flops": "c compute flop trainingflop trainingflops trainflops computeflops totalflops",
}
#: of these the third follows from two, by flops = 6 N D
TRIPLE = ("params", "tokens", "flops")
#: columns that name rows, and are no quantity
LABELS = ("run", "seed", "status")
#: column of a table that was thinned in reading: the number of rows for which each row stands
STANDS_FOR = "stands_for"
UNIT_HINTS = {
    "params": "params is a count of parameters: 70 billion is 70e9",
    "tokens": "tokens is a count of tokens: 1.4 trillion is 1.4e12",
    "loss": "loss is in nats per token: the logarithm of a perplexity; bits per token times ln 2 = 0.6931",
    "unique": "unique_tokens is a count of tokens: 1.4 trillion is 1.4e12",
    "flops": "flops counts floating-point operations: one PF-day is 8.64e19",
}


#: the same headers are compared with one name after another
_plain_header = lru_cache(maxsize=1024, typed=True)(plain)


def closest_column(name: str, candidates: list, cutoff: float = 0.75) -> object | None:
    """The candidate that most looks like ``name`` (its usual aliases counted), or None."""
    normal = {_plain_header(c): c for c in reversed(candidates)}
    for known in [_plain_header(name), *ALIASES.get(name, "").split()]:
        if known in normal:
            return normal[known]
    close = difflib.get_close_matches(_plain_header(name), list(normal), n=1, cutoff=cutoff)
    return normal[close[0]] if close else None


#: more of them than :func:`closest_column` suggests, as :func:`~scaling._words.plain` has them
_MORE = {
    "params": "param parameter numparameters totalnumparams totalnumparameters ntotal paramcount parametercount "
    "numberofparameters numberofparams paramstotal totalparameters modelparameters trainableparams "
    "trainableparameters nparam numparam weights noofparameters noofparams numberofweights numweights "
    "nweights modelparam totalnparams paramstotalcount parameteranzahl anzahlparameter parameterzahl "
    "modellgroße modellgroesse modellgrosse gewichte parametres nombredeparametres nbparametres "
    "nparametres tailledumodele parametros numerodeparametros nparametros parametri numerodiparametri "
    "parametrar antalparametrar parametreler parametresayisi pocetparametru parametry liczbaparametrow "
    "параметры параметров числопараметров 参数 参数量 参数数 参数数量 模型参数 "
    "模型参数量 模型大小 パラメータ パラメータ数 パラメーター数 モデルサイズ 매개변수 파라미터 파라미터수 "
    "매개변수수",
    "tokens": "token tok toks numtoken tokensnum numberoftokens totaltokens tokenstrained ntraintokens "
    "numtraintokens numtrainingtokens tokencount datasettokens tokensprocessed consumedtokens tokenstotal "
    "nooftokens ntoks numberoftrainingtokens tokensconsumed tokensseentotal totaltrainingtokens "
    "totaltraintokens trainingtoken traintoken tokenanzahl anzahltoken anzahltokens tokenzahl "
    "trainingstoken trainingstokens jetons nombredejetons nombredetokens nbtokens ntokensentrainement "
    "jetonsdentrainement tokensdentrainement tokensdeentrenamiento numerodetokens tokensdetreinamento "
    "tokendiaddestramento tokeny liczbatokenow antaltokens tokensayisi pocettokenu "
    "токены токенов числотокенов 词元 词元数 训练词元 训练词元数 训练词元量 "
    "训练token数 训练tokens 训练tokens数 token数 tokens数 训练数据量 数据量 "
    "トークン トークン数 学習トークン数 訓練トークン数 "
    "토큰 토큰수 학습토큰수 훈련토큰수",
    "loss": "finalvalloss finaltrainloss finalevalloss finaltestloss valcrossentropy validationcrossentropy "
    "evalcrossentropy crossentropyloss celoss valceloss nll valnll testnll trainingloss lossfinal lossval "
    "losstest lossvalidation losseval losstrain heldoutloss devloss finalnll evalnll trainnll "
    "finalcrossentropy negativeloglikelihood testcrossentropy traincrossentropy meanloss avgloss "
    "averageloss bestvalloss bestloss minloss macroloss lmloss finallmloss xent valxent finalxent valce "
    "ce verlust endverlust validierungsverlust testverlust trainingsverlust kreuzentropie perte "
    "pertefinale pertedevalidation pertevalidation entropiecroisee perdida perdidafinal "
    "verlies validatieverlies forlust valideringsforlust kayip ztrata "
    "perdidadevalidacion entropiacruzada perda perdafinal perdadevalidacao perdita perditafinale strata "
    "потери лосс кроссэнтропия 损失 最终损失 验证损失 测试损失 训练损失 验证集损失 测试集损失 训练集损失 "
    "训练loss 验证loss 测试loss 最终loss 交叉熵 损失值 損失 検証損失 "
    "最終損失 訓練損失 検証ロス ロス 손실 검증손실 최종손실",
    "flops": "trainingcompute traincompute totalcompute floptotal totalflop trainflop flopcount flopscount "
    "totalflopscount trainingflopstotal flopstotal totaltrainingflops totaltrainflops "
    "totaltrainingcompute numflops rechenaufwand rechenleistung trainingsaufwand calcul coutdecalcul "
    "calculdentrainement computo calcolo вычисления 计算量 训练计算量 算力 計算量 学習計算量 계산량 "
    "연산량",
    "params_nonembedding": "nonembeddingparams nonembeddingparameters nparamsnonembedding paramsnonemb nonembparams "
    "paramsnoembedding paramswithoutembeddings nnonembedding paramsexcludingembeddings "
    "nonembeddingparamcount",
    "flops_nonembedding": "nonembeddingflops",
    "flops_exact": "exactflops measuredflops",
    "budget": "isoflop isoflopbudget computebudget flopbudget flopsbudget nominalflops isoflopgroup",
    "unique_tokens": "uniquetoken tokensunique nuniquetokens numuniquetokens uniquetrainingtokens uniquetraintokens "
    "corpustokens tokensincorpus corpussize tokensperepoch epochtokens tokensindataset tokensindata",
    "run": "runid runname experiment experimentid",
    "seed": "randomseed rngseed",
    "status": "state runstatus runstate",
}
KNOWN_NAMES = {
    ours: {ours.replace("_", ""), *map(plain, [*ALIASES.get(ours, "").split(), *more.split()])}
    for ours, more in _MORE.items()
}
#: names of tokens that are those of one epoch where the number of epochs stands beside them
OF_ONE_EPOCH = {"datasettokens", "datasize", "datasetsize", "训练数据量", "数据量"} | KNOWN_NAMES["unique_tokens"]
#: names of what multiplied gives tokens
PARTS = {
    part: set(map(plain, names.split()))
    for part, names in {
        "steps": "steps nsteps numsteps trainsteps trainingsteps totalsteps maxsteps iterations iters niters "
        "numiters maxiters updates nupdates optimizersteps optsteps gradientsteps numberofsteps "
        "numtrainsteps totaliterations totaliters trainiters numupdates schritte etapes pasos 步数 "
        "训练步数 ステップ数",
        "step": "step globalstep iteration iter update trainstep optimizerstep currentstep schritt ステップ",
        "batch": "batch batchsize bs bsz nbatch globalbatchsize globalbatch trainbatchsize totalbatchsize "
        "effectivebatchsize batchsequences batchsizesequences batchsizeseqs batchsizeinsequences "
        "seqsperbatch sequencesperbatch sequencesperstep gbs 批大小 批量大小 バッチサイズ",
        "sequence": "seqlen sequencelength seqlength sequencelen seq context contextlength contextlen contextsize ctx "
        "ctxlen ctxlength nctx blocksize maxseqlen maxseqlength maxsequencelength trainseqlen "
        "contextwindow tokenspersequence 序列长度 上下文长度 系列長",
        "batch_tokens": "batchtokens tokensperbatch tokensperstep batchsizetokens batchsizeintokens tokenbatchsize "
        "globalbatchsizetokens globalbatchtokens tokbatch tokperstep tokperbatch totalbatchtokens "
        "tokensperupdate tokensperiteration",
        "epochs": "epochs epoch nepochs numepochs numberofepochs epochcount passes datapasses repetitions epochen "
        "epoques epocas trainepochs totalepochs numtrainepochs 轮数 训练轮数 エポック数 에폭",
        "accumulation": "gas gradaccum gradaccumsteps gradientaccumulation gradientaccumulationsteps accumsteps "
        "accumulation accumulationsteps gradientaccsteps",
        "devices": "ngpus numgpus gpus worldsize devices ndevices numdevices dataparallel dp dpsize dataparallelsize",
        "small_batch": "microbatchsize microbatch mbs devicebatchsize perdevicebatchsize perdevicetrainbatchsize "
        "pergpubatchsize batchsizepergpu batchsizeperdevice localbatchsize",
    }.items()
}
