using ConntrackStream.Sinks.Reclassify.Decide;

namespace ConntrackStream.Sinks.Tests.Reclassify.Decide;

public sealed class RecheckWheelTests
{
    /// <summary>
    /// Against a sorted list: nothing is due too soon, nothing a step too late, nothing is lost, over several turns of the wheel.
    /// </summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Everything_is_taken_when_it_is_due(int seed)
    {
        Random random = new(seed);
        RecheckWheel wheel = new(100_000);
        Dictionary<uint, long> waiting = [];
        List<Recheck> due = [];
        uint id = 0;
        for (long now = 0; now < 400_000; now += random.Next(1, 400))
        {
            for (int i = random.Next(4); i > 0; i--)
            {
                long at = now + random.Next(0, 120_000);
                Assert.True(wheel.TryAdd(new Recheck { Id = ++id }, at));
                waiting[id] = at;
            }

            wheel.Take(now, due);
            foreach (Recheck recheck in due)
            {
                Assert.True(waiting.Remove(recheck.Id, out long at));
                Assert.True(at <= now, $"{recheck.Id} is due at {at}, but taken at {now}");
            }

            due.Clear();
            Assert.All(
                waiting,
                entry => Assert.True(
                    entry.Value > now - (2 * RecheckWheel.Tick), $"{entry.Key} was due at {entry.Value}, and still waits at {now}"));
            Assert.Equal(waiting.Count, wheel.Count);
        }
    }

    [Fact]
    public void What_there_is_no_room_for_is_refused_and_counted()
    {
        RecheckWheel wheel = new(300);
        for (uint id = 0; id < 310; id++)
            Assert.Equal(id < 300, wheel.TryAdd(new Recheck { Id = id }, 100));
        Assert.Equal(10, wheel.Refused);
        List<Recheck> due = [];
        wheel.Take(200, due);
        Assert.Equal(300, due.Select(static recheck => recheck.Id).Distinct().Count());
        Assert.True(wheel.TryAdd(default, 300));
    }
}
