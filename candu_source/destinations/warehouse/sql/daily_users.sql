-- How many people see a tutorial each day?
-- line; x: day; y: people, views
with days as (
  select
    date(timestamp) as day,
    count(distinct user_id) as people,
    count(*) as views
  from candu_prod.screens
  where name = 'tutorial.view'
  group by day
  order by day desc
  limit 366
)

select *
from days
order by day
