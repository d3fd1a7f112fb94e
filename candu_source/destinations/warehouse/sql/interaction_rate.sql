-- What share of those who see a tutorial interact with it, by segment?
-- bar; x: tutorial_id, segment_id; y: per_cent, people, interacting
with viewers as (
  select distinct tutorial_id, segment_id, user_id
  from candu_prod.screens
  where name = 'tutorial.view' and user_id is not null
),
doers as (
  select distinct tutorial_id, segment_id, user_id
  from candu_prod.tutorial_interaction
)

select
  viewers.tutorial_id,
  viewers.segment_id,
  count(*) as people,
  count(doers.user_id) as interacting,
  round(100.0 * count(doers.user_id) / count(*), 1) as per_cent
from viewers
left join doers
  on doers.tutorial_id = viewers.tutorial_id
  and doers.segment_id = viewers.segment_id
  and doers.user_id = viewers.user_id
group by viewers.tutorial_id, viewers.segment_id
order by per_cent desc, people desc, viewers.tutorial_id, viewers.segment_id
limit 20
