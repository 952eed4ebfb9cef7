using System.Net;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Paths;

namespace ConntrackStream.Sinks.Tests.Reclassify.Paths;

public sealed class PathTableTests
{
    private static readonly PathTable Table = Create(
        "A mark=0x100/0x3f00 source=198.51.100.1",
        "B mark=0x200/0x3f00 source=203.0.113.0/28 source=2001:db8:b::1",
        "C source=203.0.113.64/26");

    [Theory]
    [InlineData(0x100u, "A")]
    [InlineData(0x200u, "B")]
    [InlineData(0xdead0100u | 0x4000, "A")]
    public void A_mark_tells_the_path_whatever_the_other_bits_are(uint mark, string path)
    {
        PathAnswer answer = Table.Of(Masqueraded("192.0.2.99", mark)); // to no path's address
        Assert.Equal(path, answer.Path?.Name);
        Assert.Equal(PathEvidence.Mark, answer.Evidence);
    }

    [Fact]
    public void The_translated_source_counts_for_more_than_a_mark_that_routing_may_have_passed_over()
    {
        PathAnswer answer = Table.Of(Masqueraded("203.0.113.15", mark: 0x100));
        Assert.Equal(("B", PathEvidence.SourceAddress), (answer.Path?.Name, answer.Evidence));
    }

    [Theory]
    [InlineData(0x300u)]
    [InlineData(0x3f00u)]
    [InlineData(0u)]
    [InlineData(0xffff00ffu)]
    public void Other_marks_and_none_tell_nothing(uint mark) => Assert.Equal(default, Table.Of(Masqueraded("192.0.2.99", mark)));

    [Theory]
    [InlineData("198.51.100.1", "A")]
    [InlineData("203.0.113.15", "B")]
    [InlineData("203.0.113.16", null)]
    [InlineData("203.0.113.127", "C")]
    [InlineData("2001:db8:b::1", "B")]
    [InlineData("2001:db8:b::2", null)]
    [InlineData("::198.51.100.1", null)]
    public void Without_a_mark_the_translated_source_tells(string translated, string? path)
    {
        PathAnswer answer = Table.Of(Masqueraded(translated, mark: 0xff));
        Assert.Equal(path, answer.Path?.Name);
        Assert.Equal(path is null ? PathEvidence.Unknown : PathEvidence.SourceAddress, answer.Evidence);
    }

    /// <summary>The gateway's own connections; a prefix's other hosts are not the gateway.</summary>
    [Theory]
    [InlineData("198.51.100.1", 0u, "A")]
    [InlineData("198.51.100.1", 0x200u, "B")] // re-routed by its mark
    [InlineData("203.0.113.15", 0u, null)]
    public void The_source_of_an_untranslated_flow_tells_where_it_is_an_uplinks_own_address(string source, uint mark, string? path)
    {
        Flow flow = Masqueraded(source, mark);
        flow.Original.Source = flow.Reply.Destination;
        Assert.Equal(path, Table.Of(flow).Path?.Name);
    }

    [Fact]
    public void A_flow_whose_reply_is_not_known_tells_nothing()
    {
        Flow flow = Masqueraded("198.51.100.1", mark: 0);
        flow.Present = FlowFields.Original;
        Assert.Equal(default, Table.Of(flow));
    }

    [Fact]
    public void An_address_of_two_paths_tells_nothing()
    {
        PathTable table = Create("A source=198.51.100.1 source=203.0.113.0/24", "B source=198.51.100.1 source=203.0.113.0/28");
        Assert.Null(table.Of(Masqueraded("198.51.100.1", 0)).Path);
        Assert.Null(table.Of(Masqueraded("203.0.113.1", 0)).Path);
        Assert.Equal("A", table.Of(Masqueraded("203.0.113.99", 0)).Path?.Name);
    }

    [Fact]
    public void Paths_are_found_by_name()
    {
        Assert.Same(Table.Paths[1], Table.Find("B"));
        Assert.Null(Table.Find("b"));
    }

    [Theory]
    [InlineData("path A occurs twice", "A dev=a", "A dev=b")]
    [InlineData("one mark could mean path A (0x100/0x3f00) and path B (0x100/0xff00)", "A mark=0x100/0x3f00", "B mark=0x100/0xff00")]
    [InlineData("one mark could mean", "A mark=0x1/0x1", "B mark=0x2/0x2")]
    [InlineData("what flows without a mark have", "A mark=0x0/0x3f00")]
    public void Ambiguous_paths_are_refused(string expected, params string[] paths)
    {
        Assert.False(PathTable.TryCreate(paths.Select(Parse), out _, out string? error));
        Assert.Contains(expected, error, StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_is_allocated()
    {
        Flow[] flows =
            [Masqueraded("198.51.100.1", 0), Masqueraded("203.0.113.70", 0), Masqueraded("192.0.2.1", 0x200), Masqueraded("192.0.2.1", 0)];
        int known = 0;
        long before = 0;
        for (int round = 0; round < 1000; round++)
        {
            if (round == 2) // the first meets unknown networks, the second compares known ones for the first time
                before = GC.GetAllocatedBytesForCurrentThread();
            foreach (ref readonly Flow flow in flows.AsSpan())
                known += Table.Of(flow).Path is null ? 0 : 1;
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(3000, known);
    }

    private static Flow Masqueraded(string translated, uint mark)
    {
        IPAddress address = IPAddress.Parse(translated);
        FlowFamily family = address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? FlowFamily.IPv4 : FlowFamily.IPv6;
        return new Flow
        {
            Original = new FlowTuple
            {
                Family = family,
                Protocol = IpProtocol.Tcp,
                Source = new IpAddress(0, 0x0a000002),
                Destination = new IpAddress(0, 0x08080808),
            },
            Reply = new FlowTuple
            {
                Family = family,
                Protocol = IpProtocol.Tcp,
                Source = new IpAddress(0, 0x08080808),
                Destination = IpAddress.From(address),
            },
            Present = FlowFields.BothTuples | FlowFields.Mark,
            Mark = mark,
        };
    }

    private static PathTable Create(params string[] paths)
    {
        Assert.True(PathTable.TryCreate(paths.Select(Parse), out PathTable? table, out string? error), error);
        return table;
    }

    private static UplinkPath Parse(string text)
    {
        Assert.True(UplinkPathText.TryParse(text, 0x3f00, out UplinkPath? path, out string? error), error);
        return path;
    }
}
