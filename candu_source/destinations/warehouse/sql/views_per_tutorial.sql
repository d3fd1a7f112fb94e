-- Which tutorials are seen most, and by how many people?
-- bar; x: tutorial_id; y: views, people
select
  tutorial_id,
  count(*) as views,
  count(distinct user_id) as people
from candu_prod.screens
where name = 'tutorial.view'
group by tutorial_id
order by views desc, tutorial_id
limit 20
