-- Which version of a tutorial gets more people to interact?
-- bar; x: tutorial_id, version; y: per_cent, people, interacting
with viewers as (
  select distinct tutorial_id, version_id, user_id
  from candu_prod.screens
  where name = 'tutorial.view' and user_id is not null
),
doers as (
  select distinct tutorial_id, version_id, user_id
  from candu_prod.tutorial_interaction
)

select
  viewers.tutorial_id,
  left(viewers.version_id, 7) as version,
  count(*) as people,
  count(doers.user_id) as interacting,
  round(100.0 * count(doers.user_id) / count(*), 1) as per_cent
from viewers
left join doers
  on doers.tutorial_id = viewers.tutorial_id
  and doers.version_id = viewers.version_id
  and doers.user_id = viewers.user_id
group by viewers.tutorial_id, viewers.version_id
order by viewers.tutorial_id, per_cent desc, viewers.version_id
limit 20
