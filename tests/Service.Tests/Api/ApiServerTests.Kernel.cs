using System.Net;
using System.Text;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Service.Api;
using ConntrackStream.Service.Output;

namespace ConntrackStream.Service.Tests.Api;

// What changes in a flow's life is the kernel's answer.
public sealed partial class ApiServerTests
{
    private readonly FlowChangeBatchPool _answers = new();
    private Func<FlowChange, Flow?> _kernel = static seen => seen.Flow;

    [Fact]
    public async Task Shows_state_timeout_and_mark_of_now_and_leaves_out_what_is_gone()
    {
        _kernel = Now;
        await using ApiServer server = await StartAsync();
        using MemoryStream output = new();
        Assert.Equal(2, await ApiClient.ListAsync(_socket, "", new OutputFormat(), output, Cancellation));
        Assert.Equal(
            "tcp      6 431999 ESTABLISHED src=10.0.0.1 dst=10.0.0.2 sport=1 dport=443 src=10.0.0.2 dst=10.0.0.1 sport=443 "
            + "dport=1 [ASSURED] mark=7\n"
            + "tcp      6 431999 ESTABLISHED src=10.0.0.1 dst=10.0.0.2 sport=3 dport=80 src=10.0.0.2 dst=10.0.0.1 sport=80 "
            + "dport=3 [ASSURED] mark=7\n",
            Encoding.UTF8.GetString(output.ToArray()));
    }

    [Theory]
    [InlineData("state=ESTABLISHED", 2)]
    [InlineData("state=SYN_SENT", 0)]
    [InlineData("mark=7&dport=80", 1)]
    [InlineData("status=ASSURED", 2)]
    public async Task A_filter_on_what_changes_is_asked_of_the_kernel_s_answer(string filter, int flows)
    {
        _kernel = Now;
        await using ApiServer server = await StartAsync();
        using MemoryStream output = new();
        Assert.Equal(flows, await ApiClient.ListAsync(_socket, filter, new OutputFormat { Json = true }, output, Cancellation));
        Assert.Equal(flows, await ApiClient.CountAsync(_socket, filter, Cancellation));
    }

    [Fact]
    public async Task Options_of_the_output_reach_the_service()
    {
        _kernel = static seen =>
        {
            Flow now = seen.Flow;
            (now.Present, now.Id, now.StartTime) = (now.Present | FlowFields.Id | FlowFields.StartTime, 5, 1_700_000_000_000_000_000);
            return now;
        };
        await using ApiServer server = await StartAsync();
        using MemoryStream output = new();
        await ApiClient.ListAsync(
            _socket, "dport=80", new OutputFormat { KernelTimestamps = true, Extended = true, Id = true }, output, Cancellation);
        string line = Encoding.UTF8.GetString(output.ToArray());
        Assert.StartsWith("ipv4     2 tcp      6 src=", line, StringComparison.Ordinal);
        Assert.Contains(" [start=", line, StringComparison.Ordinal);
        Assert.Contains(" id=5", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_kernel_that_does_not_answer_is_said_so_and_an_answer_begun_breaks_off()
    {
        _kernel = static _ => throw new NetlinkException("reading conntrack entries", Errno.EPERM);
        await using ApiServer server = await StartAsync();
        (HttpStatusCode status, string body) = await GetAsync("/v1/flows?format=ndjson");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.StartsWith(
            "the kernel was asked for the flows as they are now: reading conntrack entries", DetailOf(body), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await GetAsync("/v1/count?mark=1")).Status);

        _kernel = static seen =>
            seen.Flow.Original.SourcePort == 1 ? seen.Flow : throw new NetlinkException("reading conntrack entries", Errno.EPERM);
        IOException e =
            await Assert.ThrowsAsync<IOException>(() => ApiClient.ListAsync(_socket, "", new OutputFormat(), Stream.Null, Cancellation));
        Assert.Contains("the answer is not complete", e.Message, StringComparison.Ordinal);
    }

    private static Flow? Now(FlowChange seen)
    {
        if (seen.Flow.Original.Protocol != IpProtocol.Tcp)
            return null; // gone
        Flow now = seen.Flow;
        now.Present |= FlowFields.ProtocolState | FlowFields.Timeout | FlowFields.Status | FlowFields.Mark;
        now.ProtocolState = (byte)TcpState.Established;
        now.Timeout = 431999;
        now.Status = FlowStatus.SeenReply | FlowStatus.Assured | FlowStatus.Confirmed;
        now.Mark = 7;
        return now;
    }

    private Task<FlowChangeBatch> AskAsync(FlowChangeBatch seen)
    {
        FlowChangeBatch current = _answers.Rent();
        foreach (ref readonly FlowChange row in seen.Span)
        {
            if (_kernel(row) is { } now)
                RowQuestions.Add(current, row, new FlowEvent { Flow = now, Time = 1, Type = FlowEventType.Row });
        }

        return Task.FromResult(current);
    }
}
