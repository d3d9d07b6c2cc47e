-- Books as the first release left them: two calls, one closed month.
BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE chain (
	seq INTEGER NOT NULL, 
	id TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	period TEXT NOT NULL, 
	service_period TEXT NOT NULL, 
	recorded_us BIGINT NOT NULL, 
	actor TEXT NOT NULL, 
	text TEXT NOT NULL, 
	versions TEXT NOT NULL, 
	corrects TEXT NOT NULL, 
	details TEXT NOT NULL, 
	prev_hash TEXT NOT NULL, 
	hash TEXT NOT NULL, 
	PRIMARY KEY (seq), 
	UNIQUE (id)
);
INSERT INTO "chain" VALUES(1,'E-000001','entry','meter','2026-10','2026-10',1795330064637312,'ann','Metered usage at rate card, accrued at contract: anthropic','{"budgets":1,"code":"0.1.0","events":"112d517dbb4996948a2f214a96953940","manifest":1,"org":1,"policy":1,"pools":0,"prices":"2026-10-01.1","sheet":1}','','{}','0000000000000000000000000000000000000000000000000000000000000000','4d21e16726dcd6d09128df5652acac4dc0e0014b920efca8daf9a67922ec6335');
INSERT INTO "chain" VALUES(2,'E-000002','entry','meter','2026-10','2026-10',1795330064637312,'ann','Metered usage at rate card, accrued at contract: openai','{"budgets":1,"code":"0.1.0","events":"112d517dbb4996948a2f214a96953940","manifest":1,"org":1,"policy":1,"pools":0,"prices":"2026-10-01.1","sheet":1}','','{}','4d21e16726dcd6d09128df5652acac4dc0e0014b920efca8daf9a67922ec6335','ea662514f3a4e6e8f5ff93713a26f2bd131283627c147a6732b7fa56bc94e1ea');
INSERT INTO "chain" VALUES(3,'E-000003','entry','pool','2026-10','2026-10',1795330064637312,'ann','Cost pool at policy amount, actual from its source: gateway','{"budgets":1,"code":"0.1.0","events":"112d517dbb4996948a2f214a96953940","manifest":1,"org":1,"policy":1,"pools":0,"prices":"2026-10-01.1","sheet":1}','','{}','ea662514f3a4e6e8f5ff93713a26f2bd131283627c147a6732b7fa56bc94e1ea','9370a895c88f3812bc2abebcf410e64673ba190f5f90456c0c0c44f0e414ea0e');
INSERT INTO "chain" VALUES(4,'E-000004','entry','pool','2026-10','2026-10',1795330064637312,'ann','Cost pool at policy amount, actual from its source: governance','{"budgets":1,"code":"0.1.0","events":"112d517dbb4996948a2f214a96953940","manifest":1,"org":1,"policy":1,"pools":0,"prices":"2026-10-01.1","sheet":1}','','{}','9370a895c88f3812bc2abebcf410e64673ba190f5f90456c0c0c44f0e414ea0e','3275ab6e5890e5de4449979d4f19442c5c2a97d48cf6cb50321c43ede35e7951');
INSERT INTO "chain" VALUES(5,'E-000005','entry','charge','2026-10','2026-10',1795330064637312,'ann','Charged to the teams on this model: real_cost','{"budgets":1,"code":"0.1.0","events":"112d517dbb4996948a2f214a96953940","manifest":1,"org":1,"policy":1,"pools":0,"prices":"2026-10-01.1","sheet":1}','','{}','3275ab6e5890e5de4449979d4f19442c5c2a97d48cf6cb50321c43ede35e7951','cf4033634286c8123b0a32ac8ed06b3ea134c72469bfed5db79e4040714c9b5a');
INSERT INTO "chain" VALUES(6,'E-000006','entry','charge','2026-10','2026-10',1795330064637312,'ann','Charged to the teams on this model: real_cost:governance','{"budgets":1,"code":"0.1.0","events":"112d517dbb4996948a2f214a96953940","manifest":1,"org":1,"policy":1,"pools":0,"prices":"2026-10-01.1","sheet":1}','','{}','cf4033634286c8123b0a32ac8ed06b3ea134c72469bfed5db79e4040714c9b5a','cf204dc2c9cff8d71503a898a3ebf61467911de8eb24a395ec23a93c62b287f2');
INSERT INTO "chain" VALUES(7,'E-000007','entry','charge','2026-10','2026-10',1795330064637312,'ann','Charged to the teams on this model: use_case_budget','{"budgets":1,"code":"0.1.0","events":"112d517dbb4996948a2f214a96953940","manifest":1,"org":1,"policy":1,"pools":0,"prices":"2026-10-01.1","sheet":1}','','{}','cf204dc2c9cff8d71503a898a3ebf61467911de8eb24a395ec23a93c62b287f2','8b95f178d8bf6f2efeeec2025702473f71a4ee0b82e6e1a8ee7c47d3abbdf721');
INSERT INTO "chain" VALUES(8,'E-000008','entry','charge','2026-10','2026-10',1795330064637312,'ann','Charged to the teams on this model: use_case_budget:gateway','{"budgets":1,"code":"0.1.0","events":"112d517dbb4996948a2f214a96953940","manifest":1,"org":1,"policy":1,"pools":0,"prices":"2026-10-01.1","sheet":1}','','{}','8b95f178d8bf6f2efeeec2025702473f71a4ee0b82e6e1a8ee7c47d3abbdf721','e09b5f08c5bbae68cfe6b836e312354d915831b4a2d21faca873d9e1b80d82f4');
INSERT INTO "chain" VALUES(9,'E-000009','entry','charge','2026-10','2026-10',1795330064637312,'ann','Charged to the teams on this model: use_case_budget:governance','{"budgets":1,"code":"0.1.0","events":"112d517dbb4996948a2f214a96953940","manifest":1,"org":1,"policy":1,"pools":0,"prices":"2026-10-01.1","sheet":1}','','{}','e09b5f08c5bbae68cfe6b836e312354d915831b4a2d21faca873d9e1b80d82f4','85fb08a7efe015f0af2caf171c79b8b16590260fdd50a1d542a73ec71a69ca6e');
INSERT INTO "chain" VALUES(10,'E-000010','entry','markup','2026-10','2026-10',1795330064637312,'ann','Markup on usage and transfers','{"budgets":1,"code":"0.1.0","events":"112d517dbb4996948a2f214a96953940","manifest":1,"org":1,"policy":1,"pools":0,"prices":"2026-10-01.1","sheet":1}','','{}','85fb08a7efe015f0af2caf171c79b8b16590260fdd50a1d542a73ec71a69ca6e','587122756e0f5881f852b96a8596be6837cfdabc3a79c07090ed7bdee9f7c336');
INSERT INTO "chain" VALUES(11,'E-000011','entry','absorption','2026-10','2026-10',1795330064637312,'ann','Driver share that the markup stands for: gateway','{"budgets":1,"code":"0.1.0","events":"112d517dbb4996948a2f214a96953940","manifest":1,"org":1,"policy":1,"pools":0,"prices":"2026-10-01.1","sheet":1}','','{}','587122756e0f5881f852b96a8596be6837cfdabc3a79c07090ed7bdee9f7c336','c94ca4d27ef8160ea8336db7113b40f124ac9ba93b2ded93abc3c94918dfec5b');
INSERT INTO "chain" VALUES(12,'E-000012','entry','rounding','2026-10','2026-10',1795330074693028,'bob','Sub-cent remainders of the issued statements','{"budgets":1,"code":"0.1.0","events":"112d517dbb4996948a2f214a96953940","manifest":1,"org":1,"policy":1,"pools":0,"prices":"2026-10-01.1"}','','{}','c94ca4d27ef8160ea8336db7113b40f124ac9ba93b2ded93abc3c94918dfec5b','8264549c73cf98b4ffd49299567c1eda90cad38e0e624ac820b75382888d5467');
INSERT INTO "chain" VALUES(13,'A-000013','act','close','2026-10','',1795330074693028,'bob','Closed with statement version 1','{"budgets":1,"code":"0.1.0","events":"112d517dbb4996948a2f214a96953940","manifest":1,"org":1,"policy":1,"pools":0,"prices":"2026-10-01.1"}','','{"body_sha256":"a59b802a78c8d4f84349dd0c0995e5d7a4ddc13afb2020a878970a671641064e","checklist":{"ended":"the period ends at 2026-11-01T00:00:00.000Z; it is 2026-11-22T06:47:54.693028Z","estimated":"0 calls, 0.0 % of the value at rate card; the limit is 5.0 %","late":"no event of a closed period waits","order":"no earlier period is open","pools":"accrued at policy amount, no actual entered: gateway, governance","posted":"targets equal what is booked","quarantine":"0 records in quarantine","unallocated":"0 calls, 0.0 % of the value at rate card; the limit is 1.0 %","unknown":"0 calls, 0.0 % of all calls; the limit is 0.5 %","unpriced":"0 calls, 0.0 % of all calls; the limit is 0.0 %"},"head":"8264549c73cf98b4ffd49299567c1eda90cad38e0e624ac820b75382888d5467","manifest":1,"seq":12,"statement_version":1,"waived":{}}','8264549c73cf98b4ffd49299567c1eda90cad38e0e624ac820b75382888d5467','17030747f67d65e540bc6dd0b1e69a3bff79d870075c9fe94f5b581ed3a0cf75');
CREATE TABLE claim (
	"key" BLOB NOT NULL, 
	record BLOB NOT NULL, 
	batch BIGINT NOT NULL, 
	PRIMARY KEY ("key")
)
 WITHOUT ROWID

;
INSERT INTO "claim" VALUES(X'17A839B486BEB906E784D94035BB973B',X'F4F3BB9A7F36EA5BA371449F363EED5F',1);
INSERT INTO "claim" VALUES(X'3D181D0FE003B53A359868674DF0480D',X'FABF3E86028D9CCDF8E33163E68DCD83',1);
CREATE TABLE command (
	seq INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	args TEXT NOT NULL, 
	actor TEXT NOT NULL, 
	at_us BIGINT NOT NULL, 
	versions TEXT NOT NULL, 
	outcome TEXT NOT NULL, 
	PRIMARY KEY (seq)
);
INSERT INTO "command" VALUES(1,'apply','{"books":"acme1/books"}','ann',1795330060016076,'{"budgets":1,"org":1,"policy":1,"prices":1}','budgets 1, org 1, policy 1, prices 1');
INSERT INTO "command" VALUES(2,'ingest','{"files":["e1.jsonl"],"map":"","source":"jsonl"}','ann',1795330062051399,'{}','2 accepted, 0 quarantined');
INSERT INTO "command" VALUES(3,'run','{"period":"2026-10"}','ann',1795330064637312,'{"budgets":1,"code":"0.1.0","events":"112d517dbb4996948a2f214a96953940","manifest":1,"org":1,"policy":1,"pools":0,"prices":"2026-10-01.1"}','E-000001, E-000002, E-000003, E-000004, E-000005, E-000006, E-000007, E-000008, E-000009, E-000010, E-000011');
INSERT INTO "command" VALUES(4,'run','{"period":"2026-10"}','ann',1795330071000401,'{"budgets":1,"code":"0.1.0","events":"112d517dbb4996948a2f214a96953940","manifest":1,"org":1,"policy":1,"pools":0,"prices":"2026-10-01.1"}','nothing new');
INSERT INTO "command" VALUES(5,'run','{"period":"2026-10"}','bob',1795330074693028,'{"budgets":1,"code":"0.1.0","events":"112d517dbb4996948a2f214a96953940","manifest":1,"org":1,"policy":1,"pools":0,"prices":"2026-10-01.1"}','nothing new');
INSERT INTO "command" VALUES(6,'close','{"period":"2026-10"}','bob',1795330074693028,'{"budgets":1,"code":"0.1.0","events":"112d517dbb4996948a2f214a96953940","manifest":1,"org":1,"policy":1,"pools":0,"prices":"2026-10-01.1"}','A-000013');
CREATE TABLE document (
	kind TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	body TEXT NOT NULL, 
	sha256 TEXT NOT NULL, 
	applied_us BIGINT NOT NULL, 
	actor TEXT NOT NULL, 
	PRIMARY KEY (kind, version)
);
INSERT INTO "document" VALUES('budgets',1,'{"budgets":[{"feature":"site-search","from":"2026-01","monthly":"3000.00","over":"none","warn":["50%","80%"]},{"approvers":["support-pm@acme.example","finance@acme.example"],"feature":"refund-bot","from":"2026-01","monthly":"2500.00","over":"approval","warn":["80%"]}],"increases":[{"amount":"300.00","approved_by":"finance@acme.example","approved_on":"2026-10-20","feature":"refund-bot","month":"2026-10"}]}','129f34f9680bdba79e50f5a56cdfbac4c1962ab1c31f0b08a60d7d8e8fc5e462',1795330060016076,'ann');
INSERT INTO "document" VALUES('org',1,'{"business_units":[{"id":"commerce","legal_entity":"acme-us","name":"Commerce"},{"id":"technology","legal_entity":"acme-us","name":"Technology"}],"company":{"currency":"USD","fiscal_year_start":"2026-01","name":"Acme","timezone":"UTC"},"features":[{"id":"refund-bot","name":"Refund bot","team":"support"},{"id":"ticket-summary","name":"Ticket summary","team":"support"},{"id":"site-search","name":"Site search","team":"search"},{"id":"campaign-writer","name":"Campaign writer","team":"growth","to":"2026-10-15"},{"from":"2026-10-15","id":"campaign-writer","name":"Campaign writer","team":"support"},{"id":"lead-scoring","name":"Lead scoring","team":"growth"}],"keys":[{"feature":"refund-bot","id":"vk-support-prod","purpose":"production"},{"feature":"site-search","id":"vk-search-prod","purpose":"production"},{"id":"vk-growth-dev","purpose":"development","team":"growth"}],"rules":[{"feature":"refund-bot","when":{"endpoint":"/chat","labels.prompt":"refund-*"}},{"feature":"ticket-summary","when":{"endpoint":"/chat","labels.prompt":"summary-*"}},{"purpose":"development","team":"platform","when":{"environment":"ci"}}],"services":[{"id":"retrieval","name":"Retrieval","team":"search","transfer":"caller_pays"},{"id":"refund-agent","name":"Refund agent","team":"support"}],"teams":[{"cost_center":"4711","headcount":14,"id":"support","name":"Support","owners":{"engineering":"support-eng@acme.example","finance":"finance@acme.example","product":"support-pm@acme.example"},"unit":"commerce"},{"cost_center":"4720","headcount":9,"id":"search","name":"Search","owners":{"engineering":"search-eng@acme.example","finance":"finance@acme.example"},"unit":"technology"},{"cost_center":"4730","headcount":6,"id":"growth","name":"Growth","owners":{"engineering":"growth-eng@acme.example","product":"growth-pm@acme.example"},"unit":"commerce"},{"cost_center":"4700","headcount":11,"id":"platform","name":"Platform","owners":{"capacity":"platform-eng@acme.example","engineering":"platform-eng@acme.example","procurement":"procurement@acme.example","quality":"quality@acme.example"},"unit":"technology"}],"unowned":{"team":"platform"}}','d7a2397db582a8d17e877f5d1042603bd2bf15c5175c0e1c38c1ad5d0ba56b0d',1795330060016076,'ann');
INSERT INTO "document" VALUES('policy',1,'{"versions":[{"default":{"markup":"15%","model":"real_cost"},"effective_from":"2026-01","evaluation":{"funding":"pooled","pool":"quality"},"limits":{"estimated":"5%","unallocated":"1%","unknown":"0.5%","unpriced":"0%"},"pool_method":"direct","pools":[{"driver":"calls","id":"gateway","monthly":"4200.00","recovered_by":"markup"},{"driver":"cost","floor":"50.00","id":"governance","monthly":"9000.00","recovered_by":"driver"},{"driver":"production_cost","id":"quality"}],"rate_card":{"basis":"contract","freeze":"monthly"},"teams":{"growth":{"model":"showback"},"search":{"charge":"actual","model":"use_case_budget"}},"variance":"absorb"}]}','ac00e1e27b0dca9fa05fe51f8765248afe594215087dc5837f6f7ff9af641567',1795330060016076,'ann');
INSERT INTO "document" VALUES('prices',1,'{"aliases":[{"is":"gpt-4o","is_provider":"openai","model":"acme-chat-prod","provider":"azure"}],"contracts":[{"contract":"MSA-2026-04","discount":"8%","from":"2026-01-01","provider":"openai"},{"contract":"MSA-2026-04 annex B","from":"2026-07-01","long_context":{"over":200000,"per_million_tokens":{"input_uncached":"5.40","output":"20.25"}},"model":"claude-sonnet-4*","per_million_tokens":{"cache_read":"0.27","input_uncached":"2.70","output":"13.50"},"per_unit":{"web_search":"0.009"},"provider":"anthropic","region":"any","tier":"standard","to":"2027-07-01"}],"currency":"USD"}','b98b373c975f6d4d155a6483a4487c36a0bd4307e5b7776ade01e523ac66bae8',1795330060016076,'ann');
CREATE TABLE inbox (
	batch INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	source TEXT NOT NULL, 
	rows BIGINT NOT NULL, 
	sha256 TEXT NOT NULL, 
	events BLOB NOT NULL, 
	received_us BIGINT NOT NULL
);
CREATE TABLE pool_actual (
	seq INTEGER NOT NULL, 
	period TEXT NOT NULL, 
	pool TEXT NOT NULL, 
	amount_nano BIGINT NOT NULL, 
	actor TEXT NOT NULL, 
	at_us BIGINT NOT NULL, 
	PRIMARY KEY (seq)
);
CREATE TABLE posting (
	seq INTEGER NOT NULL, 
	line INTEGER NOT NULL, 
	account TEXT NOT NULL, 
	team TEXT NOT NULL, 
	feature TEXT NOT NULL, 
	purpose TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	provider TEXT NOT NULL, 
	service TEXT NOT NULL, 
	detail TEXT NOT NULL, 
	source TEXT NOT NULL, 
	service_period TEXT NOT NULL, 
	price_version TEXT NOT NULL, 
	policy_version BIGINT NOT NULL, 
	amount_nano BIGINT NOT NULL, 
	PRIMARY KEY (seq, line)
);
INSERT INTO "posting" VALUES(1,1,'Accrued:anthropic','','','','','anthropic','','','meter:anthropic','2026-10','2026-10-01.1',0,-7830000);
INSERT INTO "posting" VALUES(1,2,'Cost:anthropic','support','refund-bot','untagged','usage','anthropic','','','meter:anthropic','2026-10','2026-10-01.1',0,7830000);
INSERT INTO "posting" VALUES(2,1,'Accrued:openai','','','','','openai','','','meter:openai','2026-10','2026-10-01.1',0,-3174000);
INSERT INTO "posting" VALUES(2,2,'Cost:openai','search','site-search','untagged','usage','openai','','','meter:openai','2026-10','2026-10-01.1',0,3174000);
INSERT INTO "posting" VALUES(3,1,'Pool:gateway','','','','','','','','pool:gateway','2026-10','',1,4200000000000);
INSERT INTO "posting" VALUES(3,2,'Source:gateway','','','','','','','','pool:gateway','2026-10','',1,-4200000000000);
INSERT INTO "posting" VALUES(4,1,'Pool:governance','','','','','','','','pool:governance','2026-10','',1,9000000000000);
INSERT INTO "posting" VALUES(4,2,'Source:governance','','','','','','','','pool:governance','2026-10','',1,-9000000000000);
INSERT INTO "posting" VALUES(5,1,'Charge:support:usage','support','refund-bot','untagged','usage','anthropic','','','charge:real_cost','2026-10','2026-10-01.1',1,7830000);
INSERT INTO "posting" VALUES(5,2,'Cost:anthropic','support','refund-bot','untagged','usage','anthropic','','','charge:real_cost','2026-10','2026-10-01.1',1,-7830000);
INSERT INTO "posting" VALUES(6,1,'Charge:support:pool','support','','','pool','','','governance','charge:real_cost:governance','2026-10','2026-10-01.1',1,6404034896401);
INSERT INTO "posting" VALUES(6,2,'Pool:governance','support','','','','','','','charge:real_cost:governance','2026-10','2026-10-01.1',1,-6404034896401);
INSERT INTO "posting" VALUES(7,1,'Charge:search:usage','search','site-search','untagged','usage','openai','','','charge:use_case_budget','2026-10','2026-10-01.1',1,3174000);
INSERT INTO "posting" VALUES(7,2,'Cost:openai','search','site-search','untagged','usage','openai','','','charge:use_case_budget','2026-10','2026-10-01.1',1,-3174000);
INSERT INTO "posting" VALUES(8,1,'Charge:search:pool','search','','','pool','','','gateway','charge:use_case_budget:gateway','2026-10','2026-10-01.1',1,2100000000000);
INSERT INTO "posting" VALUES(8,2,'Pool:gateway','search','','','','','','','charge:use_case_budget:gateway','2026-10','2026-10-01.1',1,-2100000000000);
INSERT INTO "posting" VALUES(9,1,'Charge:search:pool','search','','','pool','','','governance','charge:use_case_budget:governance','2026-10','2026-10-01.1',1,2595965103599);
INSERT INTO "posting" VALUES(9,2,'Pool:governance','search','','','','','','','charge:use_case_budget:governance','2026-10','2026-10-01.1',1,-2595965103599);
INSERT INTO "posting" VALUES(10,1,'Absorption:markup','support','','','','','','','markup','2026-10','2026-10-01.1',1,-1174500);
INSERT INTO "posting" VALUES(10,2,'Charge:support:markup','support','refund-bot','','markup','','','','markup','2026-10','2026-10-01.1',1,1174500);
INSERT INTO "posting" VALUES(11,1,'Absorption:markup','support','','','','','','gateway','absorb:gateway','2026-10','2026-10-01.1',1,2100000000000);
INSERT INTO "posting" VALUES(11,2,'Pool:gateway','support','','','','','','','absorb:gateway','2026-10','2026-10-01.1',1,-2100000000000);
INSERT INTO "posting" VALUES(12,1,'Charge:search:pool','search','','','pool','','','governance','rounding','2026-10','',1,4896401);
INSERT INTO "posting" VALUES(12,2,'Charge:search:usage','search','site-search','untagged','usage','','','','rounding','2026-10','',1,-3174000);
INSERT INTO "posting" VALUES(12,3,'Charge:support:markup','support','','','markup','','','','rounding','2026-10','',1,-1174500);
INSERT INTO "posting" VALUES(12,4,'Charge:support:pool','support','','','pool','','','governance','rounding','2026-10','',1,-4896401);
INSERT INTO "posting" VALUES(12,5,'Charge:support:usage','support','refund-bot','untagged','usage','','','','rounding','2026-10','',1,2170000);
INSERT INTO "posting" VALUES(12,6,'Rounding','','','','','','','','rounding','2026-10','',0,2178500);
CREATE TABLE publication (
	label TEXT NOT NULL, 
	period TEXT NOT NULL, 
	number BIGINT NOT NULL, 
	list_version TEXT NOT NULL, 
	prices_version BIGINT NOT NULL, 
	basis TEXT NOT NULL, 
	digest TEXT NOT NULL, 
	at_us BIGINT NOT NULL, 
	PRIMARY KEY (label)
);
INSERT INTO "publication" VALUES('2026-10-01.1','2026-10',1,'genai-prices-0.2.3',1,'contract','bf21bb16043c87bfe92d95808eec32bf1a15cc876e59521c479684cf24940db9',1795330064637312);
CREATE TABLE quarantine (
	id INTEGER NOT NULL, 
	source TEXT NOT NULL, 
	event_id TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	record TEXT NOT NULL, 
	place TEXT NOT NULL, 
	received_us BIGINT NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE sealed_file (
	path TEXT NOT NULL, 
	period TEXT NOT NULL, 
	rows BIGINT NOT NULL, 
	bytes BIGINT NOT NULL, 
	sha256 TEXT NOT NULL, 
	digest TEXT NOT NULL, 
	min_us BIGINT NOT NULL, 
	max_us BIGINT NOT NULL, 
	meters TEXT NOT NULL, 
	price_keys TEXT NOT NULL, 
	supersedes BIGINT NOT NULL, 
	added BIGINT NOT NULL, 
	retired BIGINT, 
	PRIMARY KEY (path)
);
INSERT INTO "sealed_file" VALUES('events/2026-10/000000001-000000001.parquet','2026-10',2,17461,'aae1ac732865ebf7a7d34b841025e150090c92a0955f3d5a6c6049698bd5e704','112d517dbb4996948a2f214a96953940',1791021600000000,1791108000000000,'["input_uncached","output"]','[["anthropic","claude-sonnet-4-5","",""],["openai","gpt-4o","",""]]',0,1,NULL);
CREATE TABLE sheet (
	period TEXT NOT NULL, 
	number INTEGER NOT NULL, 
	manifest BIGINT NOT NULL, 
	versions TEXT NOT NULL, 
	body TEXT NOT NULL, 
	sha256 TEXT NOT NULL, 
	at_us BIGINT NOT NULL, 
	PRIMARY KEY (period, number)
);
INSERT INTO "sheet" VALUES('2026-10',1,1,'{"budgets":1,"code":"0.1.0","events":"112d517dbb4996948a2f214a96953940","manifest":1,"org":1,"policy":1,"pools":0,"prices":"2026-10-01.1"}','[["anthropic","support","refund-bot","untagged","usage","","support","tag:feature","reported",false,1,1540,8700000000,7830000000,7830000000,{}],["openai","search","site-search","untagged","usage","","search","tag:feature","reported",false,1,1020,3450000000,3174000000,3174000000,{}]]','bcec78698f33940f44292b15698a64c7642dcf9c7b44ceb3a48cf67b89084688',1795330064637312);
CREATE TABLE statement (
	period TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	status TEXT NOT NULL, 
	body TEXT NOT NULL, 
	body_sha256 TEXT NOT NULL, 
	seal TEXT NOT NULL, 
	issued_us BIGINT NOT NULL, 
	PRIMARY KEY (period, version)
);
INSERT INTO "statement" VALUES('2026-10',1,'final','{"body_sha256":"a59b802a78c8d4f84349dd0c0995e5d7a4ddc13afb2020a878970a671641064e","central":{"lines":[{"amount":"2100.00","detail":"","kind":"markup_absorption","label":"Under- (over-) absorbed by markup"}],"total":"2100.00"},"charged_total":"11100.01","company":{"features":{"":"","refund-bot":"Refund bot","site-search":"Site search"},"name":"Acme","teams":{"growth":"Growth","search":"Search","support":"Support"},"units":{"growth":"Commerce","search":"Technology","support":"Commerce"}},"currency":"USD","estimated":{"amount":"0.00","calls":0,"share":"0.0 %","tokens":0},"ledger_cost":"13200.01","notes":{"dispute_until":"","period_label":"October 2026","simulated":false},"period":"2026-10","seal":"17030747f67d65e540bc6dd0b1e69a3bff79d870075c9fe94f5b581ed3a0cf75","shown_total":"0.00","statements":[{"charged":false,"cost_center":"4730","lines":[],"model":"showback","notes":{"budget":null,"lines":[],"model_label":"showback: shown, not charged","previous_total":null,"shares":{}},"team":"growth","total":"0.00","unit":"commerce"},{"charged":true,"cost_center":"4720","lines":[{"amount":"2100.00","detail":"gateway","feature":"","id":"L-2026-10-52689132f950","kind":"pool","label":"Pool: gateway","purpose":"","quantity":{"calls":0,"tokens":0,"units":{}}},{"amount":"2595.97","detail":"governance","feature":"","id":"L-2026-10-b326fe0b87f9","kind":"pool","label":"Pool: governance","purpose":"","quantity":{"calls":0,"tokens":0,"units":{}}},{"amount":"0.00","detail":"","feature":"site-search","id":"L-2026-10-e321f7056107","kind":"usage","label":"","purpose":"untagged","quantity":{"calls":1,"tokens":1020,"units":{}}}],"model":"use_case_budget","notes":{"budget":{"amount":"3000.00","used":"0.00"},"lines":[],"model_label":"budget per use case, actual","previous_total":null,"shares":{"L-2026-10-52689132f950":"50.0 %","L-2026-10-b326fe0b87f9":"28.8 %"}},"team":"search","total":"4695.97","unit":"technology"},{"charged":true,"cost_center":"4711","lines":[{"amount":"0.00","detail":"","feature":"","id":"L-2026-10-26eeb91bb039","kind":"markup","label":"Markup 15 % (gateway)","purpose":"","quantity":{"calls":0,"tokens":0,"units":{}}},{"amount":"6404.03","detail":"governance","feature":"","id":"L-2026-10-2510d29cd8ac","kind":"pool","label":"Pool: governance","purpose":"","quantity":{"calls":0,"tokens":0,"units":{}}},{"amount":"0.01","detail":"","feature":"refund-bot","id":"L-2026-10-69e2ded8ffbe","kind":"usage","label":"","purpose":"untagged","quantity":{"calls":1,"tokens":1540,"units":{}}}],"model":"real_cost","notes":{"budget":{"amount":"2800.00","used":"0.01"},"lines":[],"model_label":"real cost + 15 %","previous_total":null,"shares":{"L-2026-10-2510d29cd8ac":"71.2 %"}},"team":"support","total":"6404.04","unit":"commerce"}],"status":"final","unallocated":{"amount":"0.00","calls":0,"share":"0.0 %","tokens":0},"unknown":{"amount":"0.00","calls":0,"share":"0.0 %","tokens":0},"unpriced":{"amount":"0.00","calls":0,"share":"0.0 %","tokens":0},"version":1,"versions":{"code":"0.1.0","events":"112d517dbb4996948a2f214a96953940","org":1,"policy":1,"prices":"2026-10-01.1"}}','a59b802a78c8d4f84349dd0c0995e5d7a4ddc13afb2020a878970a671641064e','17030747f67d65e540bc6dd0b1e69a3bff79d870075c9fe94f5b581ed3a0cf75',1795330074693028);
CREATE TABLE subject (
	subject TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY (subject), 
	UNIQUE (kind, value)
);
CREATE INDEX sealed_file_period ON sealed_file (period);
CREATE INDEX chain_period ON chain (period, kind);
CREATE INDEX posting_service_period ON posting (service_period);
CREATE TRIGGER document_no_update BEFORE UPDATE ON document
BEGIN SELECT RAISE(ABORT, 'append-only: UPDATE on document is refused (INV-03)'); END;
CREATE TRIGGER document_no_delete BEFORE DELETE ON document
BEGIN SELECT RAISE(ABORT, 'append-only: DELETE on document is refused (INV-03)'); END;
CREATE TRIGGER command_no_update BEFORE UPDATE ON command
BEGIN SELECT RAISE(ABORT, 'append-only: UPDATE on command is refused (INV-03)'); END;
CREATE TRIGGER command_no_delete BEFORE DELETE ON command
BEGIN SELECT RAISE(ABORT, 'append-only: DELETE on command is refused (INV-03)'); END;
CREATE TRIGGER pool_actual_no_update BEFORE UPDATE ON pool_actual
BEGIN SELECT RAISE(ABORT, 'append-only: UPDATE on pool_actual is refused (INV-03)'); END;
CREATE TRIGGER pool_actual_no_delete BEFORE DELETE ON pool_actual
BEGIN SELECT RAISE(ABORT, 'append-only: DELETE on pool_actual is refused (INV-03)'); END;
CREATE TRIGGER publication_no_update BEFORE UPDATE ON publication
BEGIN SELECT RAISE(ABORT, 'append-only: UPDATE on publication is refused (INV-03)'); END;
CREATE TRIGGER publication_no_delete BEFORE DELETE ON publication
BEGIN SELECT RAISE(ABORT, 'append-only: DELETE on publication is refused (INV-03)'); END;
CREATE TRIGGER sheet_no_update BEFORE UPDATE ON sheet
BEGIN SELECT RAISE(ABORT, 'append-only: UPDATE on sheet is refused (INV-03)'); END;
CREATE TRIGGER sheet_no_delete BEFORE DELETE ON sheet
BEGIN SELECT RAISE(ABORT, 'append-only: DELETE on sheet is refused (INV-03)'); END;
CREATE TRIGGER chain_no_update BEFORE UPDATE ON chain
BEGIN SELECT RAISE(ABORT, 'append-only: UPDATE on chain is refused (INV-03)'); END;
CREATE TRIGGER chain_no_delete BEFORE DELETE ON chain
BEGIN SELECT RAISE(ABORT, 'append-only: DELETE on chain is refused (INV-03)'); END;
CREATE TRIGGER posting_no_update BEFORE UPDATE ON posting
BEGIN SELECT RAISE(ABORT, 'append-only: UPDATE on posting is refused (INV-03)'); END;
CREATE TRIGGER posting_no_delete BEFORE DELETE ON posting
BEGIN SELECT RAISE(ABORT, 'append-only: DELETE on posting is refused (INV-03)'); END;
CREATE TRIGGER statement_no_update BEFORE UPDATE ON statement
BEGIN SELECT RAISE(ABORT, 'append-only: UPDATE on statement is refused (INV-03)'); END;
CREATE TRIGGER statement_no_delete BEFORE DELETE ON statement
BEGIN SELECT RAISE(ABORT, 'append-only: DELETE on statement is refused (INV-03)'); END;
CREATE TRIGGER chain_entry_balances BEFORE INSERT ON chain WHEN NEW.kind = 'entry'
BEGIN
  SELECT RAISE(ABORT, 'an entry needs at least two postings (INV-01)')
    WHERE (SELECT COUNT(*) FROM posting WHERE seq = NEW.seq) < 2;
  SELECT RAISE(ABORT, 'an entry has no zero posting (INV-01)')
    WHERE EXISTS (SELECT 1 FROM posting WHERE seq = NEW.seq AND amount_nano = 0);
  SELECT RAISE(ABORT, 'the postings of an entry do not sum to zero (INV-01)')
    WHERE (SELECT SUM(amount_nano) FROM posting WHERE seq = NEW.seq) <> 0;
  SELECT RAISE(ABORT, 'the period is closed (INV-04)')
    WHERE (SELECT reason FROM chain WHERE kind = 'act' AND period = NEW.period
             AND reason IN ('close', 'reopen') ORDER BY seq DESC LIMIT 1) = 'close';
END;
CREATE TRIGGER chain_grows BEFORE INSERT ON chain
BEGIN
  SELECT RAISE(ABORT, 'the chain grows by one link (INV-15)')
    WHERE NEW.seq <> (SELECT COALESCE(MAX(seq), 0) + 1 FROM chain);
  SELECT RAISE(ABORT, 'an act carries no postings (INV-01)')
    WHERE NEW.kind = 'act' AND EXISTS (SELECT 1 FROM posting WHERE seq = NEW.seq);
END;
CREATE TRIGGER posting_entry_is_shut BEFORE INSERT ON posting
WHEN EXISTS (SELECT 1 FROM chain WHERE seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'append-only: the entry is written (INV-03)'); END;
CREATE UNIQUE INDEX chain_reversed_once ON chain (corrects) WHERE reason = 'reversal'
;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('inbox',1);
COMMIT;
