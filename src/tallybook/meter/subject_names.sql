SELECT subject, value FROM subject WHERE kind = :kind
