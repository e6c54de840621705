"""What the passport of a set of runs has to say."""


def missing(entry, passport):
    """What the text of a passport does not say, of what the set's entry does."""
    facts = [entry.name, entry.file.rpartition("/")[2], entry.licence]
    if entry.kind == "downloaded":
        facts += [entry.repository, entry.path, entry.commit, entry.sha256, f"{entry.rows} rows"]
    headings = [] if entry.kind == "embedded" else ["## Columns", "## Known defects"]
    return [fact for fact in facts + headings if fact not in passport]
