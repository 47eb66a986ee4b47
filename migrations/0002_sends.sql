-- Which cart a message was about: `comeback explain snd_…` asks by the send's key alone.
CREATE INDEX entries_send ON entries (shop, json_extract(what, '$.key')) WHERE kind = 'offered';
