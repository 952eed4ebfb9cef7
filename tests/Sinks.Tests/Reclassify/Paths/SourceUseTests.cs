using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Paths;
using ConntrackStream.Sinks.Tests.FlowLog;

namespace ConntrackStream.Sinks.Tests.Reclassify.Paths;

/// <summary>Which sources are known to be answered on a path.</summary>
public sealed class SourceUseTests
{
    private const uint Mark = 0x200;

    private readonly SourceUse _use = new();
    private readonly UplinkPath _wan = Path("wan");

    [Theory]
    [InlineData(0, 0, true)]
    [InlineData(1, 0, false)] // another entry with its tuple
    [InlineData(0, 1, false)] // it has left the path
    public void The_answer_of_the_flow_that_was_seen_counts_while_it_is_on_the_path(int otherId, int otherMark, bool isUsed)
    {
        Flow seen = FlowOf("10.0.0.2");
        _use.Note(_wan, seen);
        Assert.Equal(isUsed, _use.IsUsed(FlowOf("10.0.0.9").Original, _wan, Read));

        bool Read(in FlowTuple tuple, ref Flow flow)
        {
            flow = seen with { Id = seen.Id + (uint)otherId, Mark = seen.Mark + (uint)otherMark, Status = FlowStatus.SeenReply };
            return tuple == seen.Original;
        }
    }

    [Theory]
    [InlineData("10.0.0.2", "10.0.0.200", true)]
    [InlineData("10.0.0.2", "10.0.1.2", false)]
    [InlineData("2001:db8:0:1::2", "2001:db8:0:1:9::2", true)]
    [InlineData("2001:db8:0:1::2", "2001:db8:0:2::2", false)]
    public void A_network_is_a_24_or_a_64_on_one_path(string answered, string other, bool isUsed)
    {
        _use.Note(_wan, FlowOf(answered, FlowStatus.SeenReply));
        Assert.Equal(isUsed, _use.IsUsed(FlowOf(other).Original, _wan, NotThere));
        Assert.False(_use.IsUsed(FlowOf(answered).Original, Path("lte"), NotThere));
    }

    /// <summary>A scan with forged sources costs no memory without bound.</summary>
    [Fact]
    public void No_more_networks_are_kept_than_a_bound()
    {
        for (int i = 0; i <= 5000; i++)
            _use.Note(_wan, FlowOf($"10.{i >> 8}.{i & 255}.1", FlowStatus.SeenReply));
        Assert.True(_use.IsUsed(FlowOf("10.0.0.1").Original, _wan, NotThere));
        Assert.False(_use.IsUsed(FlowOf("10.19.136.1").Original, _wan, NotThere));
    }

    /// <summary>Its provider has seen the address that it was translated to.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_answer_of_a_translated_flow_says_nothing_about_its_source(bool isTranslated)
    {
        Assert.True(UplinkPathText.TryParse("wan mark=0x200/0x3f00", 0x3f00, out UplinkPath? wan, out string? problem), problem);
        Assert.True(PathTable.TryCreate([wan], out PathTable? table, out problem), problem);
        Flow flow = FlowOf("10.0.0.2", FlowStatus.SeenReply);
        if (isTranslated)
            flow.Reply.Destination = FlowOf("192.0.2.1").Original.Source;
        Assert.Equal("wan", table.Of(flow).Path?.Name);
        Assert.Equal(!isTranslated, table.IsSourceUsed(FlowOf("10.0.0.2"), wan, NotThere));
    }

    private static bool NotThere(in FlowTuple tuple, ref Flow flow) => false;

    private static UplinkPath Path(string name) => new() { Name = name };

    private static Flow FlowOf(string source, FlowStatus status = FlowStatus.None)
    {
        string destination = source.Contains(':', StringComparison.Ordinal) ? "2001:db8:ffff::1" : "198.51.100.1";
        Flow flow = FlowLogTestData.Flow(FlowLogTestData.Tuple(IpProtocol.Udp, source, 40000, destination, 443));
        flow.Present |= FlowFields.Id | FlowFields.Mark | FlowFields.Status;
        (flow.Id, flow.Mark, flow.Status) = (7, Mark, status);
        return flow;
    }
}
