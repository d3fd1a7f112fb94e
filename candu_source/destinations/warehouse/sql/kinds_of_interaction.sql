-- What do people do in tutorials?
-- bar; x: event_name; y: times, people
select
  event_name,
  count(*) as times,
  count(distinct user_id) as people
from candu_prod.tutorial_interaction
group by event_name
order by times desc, event_name
limit 20
