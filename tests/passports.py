"""What the passport of a set of runs has to say."""

from scaling.sources.downloaded import Downloaded


def missing(entry, passport):
    """What the text of a passport does not say, of what the set's entry does."""
    facts = [entry.name, entry.licence]
    if not isinstance(entry, Downloaded):
        return [fact for fact in (*facts, entry.file.rpartition("/")[2]) if fact not in passport]
    facts += [entry.repository, entry.commit, f"{entry.rows:,} rows", "## Columns", "## Known defects"]
    facts += [f"`{group}`" for group in entry.groups]
    if len(entry.files) == 1:
        (pin,) = entry.files
        facts += [pin.file, pin.path, pin.sha256]
    else:
        facts += ["files.csv", f"{len(entry.files)} files"]
    return [fact for fact in facts if fact not in passport]
