using System.Text;
using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Text;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.Sinks.Tests.Text;

/// <summary>Which flows the lines of a recording make: read, and led through the pipeline.</summary>
public sealed class ReplayedFlowsTests
{
    private const string Flow = "src=10.7.0.1 dst=10.9.9.9 sport=5000 dport=53 packets=1 bytes=38 [UNREPLIED] src=10.7.0.1 dst=10.7.0.1 "
        + "sport=53 dport=5000 packets=0 bytes=0";
    private const string ClashLoser = "src=10.7.0.1 dst=10.9.9.9 sport=5000 dport=53 packets=1 bytes=38 [UNREPLIED] src=10.7.0.2 "
        + "dst=10.7.0.1 sport=53 dport=5000 packets=0 bytes=0";
    private const string RecordedFlow = """
        "flow_id":"01a1fbe0-a5c8-8c5d-8000-000000000004","ct_id":7,"zone":0,"family":"ipv4","proto":"udp","proto_num":17,"src":"10.0.0.1","sport":1,"dst":"10.0.0.2","dport":2,"reply_src":"10.0.0.2","reply_sport":2,"reply_dst":"10.0.0.1","reply_dport":1
        """;

    private const long Second = 1_000_000_000;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>The kernel came by 20 s after the expiry, so the age runs to a time that no line tells.</summary>
    [Theory]
    [InlineData("")]
    [InlineData(" id=77")]
    public async Task An_end_has_the_start_of_its_start_record(string id)
    {
        List<FlowChange> told = await ReplayAsync($"""
            [1000.700000] [NEW] udp 17 30 {Flow}{id}
            [1050.200000] [DESTROY] udp 17 {Flow} delta-time=30{id}
            """);
        Assert.Equal([FlowChangeKind.Started, FlowChangeKind.Ended], told.Select(c => c.Kind));
        Assert.All(told, c => Assert.Equal(1000_700_000_000, c.Start));
    }

    [Theory]
    [InlineData("[DESTROY] udp 17 ", 0)] // expired, who knows when
    [InlineData("[DESTROY] udp 17 12 ", 1020 * Second)] // deleted with 12 s left
    public async Task An_end_without_a_start_record_has_a_start_only_where_its_age_tells_it(string head, long start)
    {
        List<FlowChange> told = await ReplayAsync($"[1050.200000] {head}{Flow} delta-time=30");
        Assert.Equal([FlowChangeKind.Started, FlowChangeKind.Ended], told.Select(c => c.Kind));
        Assert.All(told, c => Assert.Equal(start, c.Start));
    }

    /// <summary>Both times of the flow are right to the second, and not the same one.</summary>
    [Fact]
    public async Task A_row_of_a_list_is_ended_by_its_own_end()
    {
        List<FlowChange> told = await ReplayAsync($"""
            [1000.900000] udp 17 30 {Flow} delta-time=5
            [1050.100000] [DESTROY] udp 17 3 {Flow} delta-time=53
            """);
        Assert.Equal([FlowChangeKind.Started, FlowChangeKind.Ended], told.Select(c => c.Kind));
        Assert.Single(told.Select(c => c.Id).Distinct());
        Assert.All(told, c => Assert.Equal(995 * Second, c.Start));
    }

    /// <summary>As where lists with <c>-o id</c> and events without it went into one file.</summary>
    [Theory]
    [InlineData(" id=77", "")]
    [InlineData("", " id=77")]
    public async Task An_id_that_only_one_line_has_does_not_make_two_flows(string newsId, string endsId)
    {
        List<FlowChange> told = await ReplayAsync($"""
            [1000.700000] [NEW] udp 17 30 {Flow}{newsId}
            [1050.200000] [DESTROY] udp 17 {Flow}{endsId}
            """);
        Assert.Equal([FlowChangeKind.Started, FlowChangeKind.Ended], told.Select(c => c.Kind));
    }

    /// <summary>The list's age is right to the second, the NEW's time to the microsecond.</summary>
    [Fact]
    public async Task A_later_list_does_not_round_the_start_that_was_told()
    {
        List<FlowChange> told = await ReplayAsync($"""
            [1000.700000] [NEW] udp 17 30 {Flow}
            [1020.500000] [UPDATE] udp 17 30 {Flow} delta-time=19
            [1050.200000] [DESTROY] udp 17 3 {Flow} delta-time=49
            """);
        Assert.Equal([FlowChangeKind.Started, FlowChangeKind.Ended], told.Where(c => c.Kind != FlowChangeKind.Updated).Select(c => c.Kind));
        Assert.All(told, c => Assert.Equal(1000_700_000_000, c.Start));
    }

    /// <summary>A text line does not tell that an entry lost a clash; its reply tuple is another.</summary>
    [Theory]
    [InlineData("", "", true)]
    [InlineData("", "", false)]
    [InlineData(" id=77", " id=78", true)]
    public async Task The_loser_of_a_clash_does_not_end_the_winner(string winnersId, string losersId, bool loserFirst)
    {
        string[] ends = [$"[1001.000000] [DESTROY] udp 17 {ClashLoser}{losersId}", $"[1031.000000] [DESTROY] udp 17 {Flow}{winnersId}"];
        if (!loserFirst)
            Array.Reverse(ends);
        List<FlowChange> told = await ReplayAsync($"""
            [1000.000000] [NEW] udp 17 30 {Flow}{winnersId}
            {ends[0]}
            {ends[1]}
            """);
        Assert.Equal(4, told.Count);
        Assert.All(told.GroupBy(c => c.Id), static flow =>
        {
            Assert.Equal([FlowChangeKind.Started, FlowChangeKind.Ended], flow.Select(c => c.Kind));
            Assert.Single(flow.Select(c => c.Flow.Reply).Distinct());
        });
    }

    /// <summary>
    /// Times of one file need not fit: an age runs to the expiry, and a list's row without a time takes that of its reading.
    /// </summary>
    [Theory]
    [InlineData("start", "[1795227227.000000] [DESTROY] udp 17 {0} delta-time=10 id=7", true)]
    [InlineData("end", "udp 17 29 {0} delta-time=10 id=7", false)]
    public async Task A_start_by_an_age_is_not_compared_with_a_records(string kind, string line, bool recordFirst)
    {
        const string Tuples = "src=10.0.0.1 dst=10.0.0.2 sport=1 dport=2 src=10.0.0.2 dst=10.0.0.1 sport=2 dport=1";
        const string Time = "2026-11-21T02:12:47.600000Z";
        string record = $"{{\"v\":1,\"time\":\"{Time}\",\"host\":\"vm\",\"event\":\"{kind}\",{RecordedFlow},\"start\":\"{Time}\","
            + $"\"origin\":\"event\"}}";
        line = line.Replace("{0}", Tuples, StringComparison.Ordinal);
        List<FlowChange> told = await ReplayAsync(recordFirst ? $"{record}\n{line}\n" : $"{line}\n{record}\n");
        Assert.Equal([FlowChangeKind.Started, FlowChangeKind.Ended], told.Select(c => c.Kind));
    }

    /// <summary>A record's start is that of the NEW first, and that of the entry's confirmation later.</summary>
    [Fact]
    public async Task Records_of_one_flow_with_two_starts_are_one_flow()
    {
        List<FlowChange> told = await ReplayAsync(
            $"{{\"v\":1,\"time\":\"2026-11-21T02:12:47.600000Z\",\"host\":\"vm\",\"event\":\"start\",{RecordedFlow},"
            + $"\"start\":\"2026-11-21T02:12:47.600000Z\",\"origin\":\"event\"}}\n"
            + $"{{\"v\":1,\"time\":\"2026-11-21T02:12:57.600000Z\",\"host\":\"vm\",\"event\":\"end\",{RecordedFlow},"
            + $"\"start\":\"2026-11-21T02:12:47.640000Z\",\"origin\":\"event\"}}\n");
        Assert.Equal([FlowChangeKind.Started, FlowChangeKind.Ended], told.Select(c => c.Kind));
    }

    private static async Task<List<FlowChange>> ReplayAsync(string text)
    {
        using MemoryStream input = new(Encoding.UTF8.GetBytes(text));
        ReplayReader reader = new(input, new FlowBatchPool(), TimeProvider.System, new ReplayOptions());
        PipelineSource source = new();
        Gathering sink = new();
        await using (FlowPipeline pipeline = new(
            source, [sink], new PipelineOptions(), TimeProvider.System, NullLogger<FlowPipeline>.Instance))
        {
            await pipeline.StartAsync(Cancel);
            await foreach (ReplayItem item in reader.ReadAsync(Cancel))
                await source.Writer.WriteAsync(new TapMessage(TapMessageKind.Events) { Batch = item.Batch! }, Cancel);
            await pipeline.StopAsync();
        }

        Assert.Null(reader.FirstProblem);
        return sink.Changes;
    }

    private sealed class Gathering : IFlowSink
    {
        public List<FlowChange> Changes { get; } = [];

        public string Name => "gathering";

        public ValueTask StartAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public ValueTask WriteAsync(FlowChangeBatch batch, CancellationToken cancellationToken)
        {
            foreach (ref readonly FlowChange change in batch.Span)
                Changes.Add(change);
            return ValueTask.CompletedTask;
        }

        public ValueTask FlushAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
