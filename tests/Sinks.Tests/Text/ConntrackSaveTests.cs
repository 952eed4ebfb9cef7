using System.Text;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.Tests.Text;

public sealed class ConntrackSaveTests
{
    private const string Sctp =
        "-s 0.0.0.1 -d 0.0.0.2 -r 0.0.0.2 -q 0.0.0.1 -p sctp --sport 3 --dport 4 --reply-port-src 4 --reply-port-dst 3 --state ESTABLISHED";

    /// <summary>The kernel sends the end of an SCTP flow without tags (sctp_to_nlattr), others with both.</summary>
    [Theory]
    [InlineData(FlowEventType.Row, 0x01000000u, $"{Sctp} --orig-vtag 1 --reply-vtag 0")]
    [InlineData(FlowEventType.Update, 0u, $"{Sctp} --orig-vtag 0 --reply-vtag 0")]
    [InlineData(FlowEventType.Destroy, 0u, Sctp)]
    public void Tags_are_written_where_the_kernel_sends_them(FlowEventType type, uint tag, string expected) =>
        Assert.Equal(expected, Save(type, IpProtocol.Sctp, 4, new FlowExtras { SctpOriginalTag = tag }));

    [Theory]
    [InlineData(FlowEventType.New, "--state OPEN --role client")]
    [InlineData(FlowEventType.Destroy, "--state OPEN")]
    public void So_is_the_role_of_dccp(FlowEventType type, string expected) =>
        Assert.EndsWith($" {expected}", Save(type, IpProtocol.Dccp, 4, extras: null), StringComparison.Ordinal);

    private static string Save(FlowEventType type, IpProtocol protocol, byte state, FlowExtras? extras)
    {
        FlowTuple original = new()
        {
            Family = FlowFamily.IPv4,
            Protocol = protocol,
            Source = new IpAddress(0, 1),
            Destination = new IpAddress(0, 2),
            SourcePort = 3,
            DestinationPort = 4,
        };
        FlowEvent e = new() { Type = type };
        e.Flow.Original = original;
        e.Flow.Reply = original;
        (e.Flow.Reply.Source, e.Flow.Reply.Destination) = (original.Destination, original.Source);
        (e.Flow.Reply.SourcePort, e.Flow.Reply.DestinationPort) = (4, 3);
        e.Flow.Present = FlowFields.BothTuples | FlowFields.ProtocolState;
        (e.Flow.ProtocolState, e.Flow.Extras) = (state, extras);
        byte[] line = new byte[ConntrackText.MaxLineBytes];
        int length = ConntrackSave.Write(line, e, "-A"u8, new ConntrackTextOptions());
        return Encoding.ASCII.GetString(line, 0, length)[3..];
    }
}
