using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Sets.Table;

namespace ConntrackStream.Sinks.Tests.Reclassify.Sets;

/// <summary>The table against a dictionary, over random rounds.</summary>
public sealed class MemberTableTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Rounds_leave_what_they_put(bool narrow)
    {
        Random random = new(narrow ? 1 : 2);
        MemberTable table = MemberTable.Create(narrow);
        Dictionary<SetKey, (uint Deadline, bool NoMatch)> model = [];
        for (int round = 0; round < 200; round++)
        {
            HashSet<SetKey> put = [];
            table.BeginRound();
            int members = random.Next(round % 3 == 0 ? 20 : 600);
            for (int i = 0; i < members; i++)
            {
                SetKey key = Key(random);
                (uint deadline, bool noMatch) = ((uint)random.Next(20), random.Next(5) == 0);
                bool matched = model.TryGetValue(key, out (uint Deadline, bool NoMatch) old) && !old.NoMatch && old.Deadline is 0 or > 10;
                Assert.Equal(new PutResult(!model.ContainsKey(key), !(model.ContainsKey(key) && matched) && !noMatch), table.Put(key, deadline, noMatch, now: 10));
                model[key] = (deadline, noMatch);
                put.Add(key);
                Assert.True(table.Find(put.First(), 0, out _, out _)); // never missed meanwhile
            }

            List<SetKey> removed = [];
            int position = 0;
            while (table.Sweep(ref position, 7, (key, _) => removed.Add(key)))
            {
            }

            Assert.Equal(model.Keys.Where(key => !put.Contains(key)).ToHashSet(), removed.ToHashSet());
            removed.ForEach(key => model.Remove(key));
            Same(model, table);
        }
    }

    [Fact]
    public void Single_removals_leave_the_others()
    {
        Random random = new(3);
        MemberTable table = MemberTable.Create(narrow: true);
        Dictionary<SetKey, (uint Deadline, bool NoMatch)> model = [];
        for (int i = 0; i < 20000; i++)
        {
            SetKey key = Key(random);
            if (random.Next(2) == 0)
            {
                table.Put(key, 0, noMatch: false, now: 1);
                model[key] = (0, false);
            }
            else
            {
                Assert.Equal(model.Remove(key), table.Remove(key));
            }
        }

        Same(model, table);
    }

    [Fact]
    public void A_hundred_thousand_narrow_keys_take_less_than_three_megabytes()
    {
        MemberTable table = MemberTable.Create(narrow: true);
        long most = 0;
        for (uint i = 0; i < 100_000; i++)
        {
            table.Put(new SetKey(new IpAddress(0, i * 2654435761), default, 0), 0, noMatch: false, now: 1);
            most = Math.Max(most, table.Bytes);
        }

        Assert.InRange(most, 100_000 * 13, 60_000_000 / 16);
    }

    private static void Same(Dictionary<SetKey, (uint Deadline, bool NoMatch)> model, MemberTable table)
    {
        Assert.Equal(model.Count, table.Count);
        Assert.Equal(model.ToHashSet(), table.Members().Select(member => KeyValuePair.Create(member.Key, (member.Deadline, member.NoMatch))).ToHashSet());
        foreach ((SetKey key, (uint deadline, bool noMatch)) in model)
        {
            Assert.True(table.Find(key, now: 0, out uint found, out bool foundNoMatch));
            Assert.Equal((deadline, noMatch), (found, foundNoMatch));
            Assert.Equal(deadline is 0 or > 10, table.Find(key, now: 10, out _, out _));
        }

        Assert.False(table.Find(new SetKey(new IpAddress(0, 77777), default, 0), 0, out _, out _));
    }

    // The key of zero among them.
    private static SetKey Key(Random random) => new(new IpAddress(0, (ulong)random.Next(400)), default, (ulong)random.Next(2));
}
