SELECT subject FROM subject WHERE kind = :kind AND value = :value
