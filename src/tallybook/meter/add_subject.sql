INSERT INTO subject (subject, kind, value)
VALUES (:subject, :kind, :value)
ON CONFLICT (kind, value) DO NOTHING
