-- Of those who see a tutorial, how many interact with it, and how many do so again on another day?
-- funnel; x: step; y: people
with first_views as (
  select user_id, tutorial_id, min(timestamp) as seen_at
  from candu_prod.screens
  where name = 'tutorial.view' and user_id is not null
  group by user_id, tutorial_id
),
interactions as (
  select
    first_views.user_id,
    first_views.tutorial_id,
    count(distinct date(interaction.timestamp)) as days
  from first_views
  join candu_prod.tutorial_interaction as interaction
    on interaction.user_id = first_views.user_id
    and interaction.tutorial_id = first_views.tutorial_id
    and interaction.timestamp >= first_views.seen_at
  group by first_views.user_id, first_views.tutorial_id
),
steps as (
  select 1 as place, 'saw a tutorial' as step, count(distinct user_id) as people
  from first_views
  union all
  select 2 as place, 'interacted with it' as step, count(distinct user_id) as people
  from interactions
  union all
  select 3 as place, 'did so on two days or more' as step, count(distinct user_id) as people
  from interactions
  where days > 1
)

select step, people
from steps
order by place
