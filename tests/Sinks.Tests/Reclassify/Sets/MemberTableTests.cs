using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Sets.Table;
using CsCheck;

namespace ConntrackStream.Sinks.Tests.Reclassify.Sets;

/// <summary>The table against a dictionary, over random rounds.</summary>
public sealed class MemberTableTests
{
    // The key of zero among them.
    private static readonly Gen<SetKey> Keys =
        Gen.Select(Gen.ULong[0, 399], Gen.ULong[0, 1], static (address, extra) => new SetKey(new IpAddress(0, address), default, extra));

    private static readonly Gen<Put> Puts =
        Gen.Select(Keys, Gen.UInt[0, 19], Gen.Int[0, 4], static (key, deadline, noMatch) => new Put(key, deadline, noMatch == 0));

    private static readonly Gen<Put[][]> Rounds = Gen.OneOf(Puts.Array[0, 19], Puts.Array[0, 599], Puts.Array[0, 599]).Array[1, 8];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Rounds_leave_what_they_put(bool narrow) => Rounds.Check(50, rounds =>
    {
        MemberTable table = MemberTable.Create(narrow);
        Dictionary<SetKey, (uint Deadline, bool NoMatch)> model = [];
        foreach (Put[] round in rounds)
        {
            HashSet<SetKey> put = [];
            table.BeginRound();
            foreach ((SetKey key, uint deadline, bool noMatch) in round)
            {
                bool matched = model.TryGetValue(key, out (uint Deadline, bool NoMatch) old) && !old.NoMatch && old.Deadline is 0 or > 10;
                Assert.Equal(
                    new PutResult(!model.ContainsKey(key), !(model.ContainsKey(key) && matched) && !noMatch),
                    table.Put(key, deadline, noMatch, now: 10));
                model[key] = (deadline, noMatch);
                put.Add(key);
                Assert.True(table.Find(round[0].Key, 0, out _, out _)); // never missed meanwhile
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
    });

    [Fact]
    public void Single_removals_leave_the_others() => Gen.Select(Keys, Gen.Bool).Array[0, 2000].Check(20, steps =>
    {
        MemberTable table = MemberTable.Create(narrow: true);
        Dictionary<SetKey, (uint Deadline, bool NoMatch)> model = [];
        foreach ((SetKey key, bool isPut) in steps)
        {
            if (isPut)
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
    });

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
        Assert.Equal(
            model.ToHashSet(),
            table.Members().Select(member => KeyValuePair.Create(member.Key, (member.Deadline, member.NoMatch))).ToHashSet());
        foreach ((SetKey key, (uint deadline, bool noMatch)) in model)
        {
            Assert.True(table.Find(key, now: 0, out uint found, out bool foundNoMatch));
            Assert.Equal((deadline, noMatch), (found, foundNoMatch));
            Assert.Equal(deadline is 0 or > 10, table.Find(key, now: 10, out _, out _));
        }

        Assert.False(table.Find(new SetKey(new IpAddress(0, 77777), default, 0), 0, out _, out _));
    }

    private readonly record struct Put(SetKey Key, uint Deadline, bool NoMatch);
}
