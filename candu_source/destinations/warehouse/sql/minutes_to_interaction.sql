-- How many minutes lie between the first view and the first interaction, for half of the people?
-- bar; x: tutorial_id; y: minutes, people
with first_views as (
  select user_id, tutorial_id, min(timestamp) as seen_at
  from candu_prod.screens
  where name = 'tutorial.view'
  group by user_id, tutorial_id
),
first_interactions as (
  select
    first_views.tutorial_id,
    first_views.user_id,
    extract(epoch from (min(interaction.timestamp) - min(first_views.seen_at))) / 60 as minutes
  from first_views
  join candu_prod.tutorial_interaction as interaction
    on interaction.user_id = first_views.user_id
    and interaction.tutorial_id = first_views.tutorial_id
    and interaction.timestamp >= first_views.seen_at
  group by first_views.tutorial_id, first_views.user_id
)

select
  tutorial_id,
  round(cast(percentile_cont(0.5) within group (order by minutes) as numeric), 1) as minutes,
  count(*) as people
from first_interactions
group by tutorial_id
order by minutes, tutorial_id
limit 20
