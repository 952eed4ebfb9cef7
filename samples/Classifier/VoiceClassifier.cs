using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Classify;

namespace SampleClassifier;

/// <summary>
/// Telephony (SIP, and RTP in the range that most exchanges use) belongs on the path named <c>dsl</c>, whatever else is decided.
/// </summary>
public sealed class VoiceClassifier : IFlowClassifier
{
    private static readonly Verdict Signalling = Verdict.To("dsl", "SIP"), Speech = Verdict.To("dsl", "RTP");

    public string Name => "voice";

    public ClassifierStatus Status => new(Name, IsWorking: true, "SIP and RTP to dsl");

    public ValueTask StartAsync(IClassifierHost host, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public Verdict Classify(in FlowQuestion question) => (question.Original.Protocol, question.Original.DestinationPort) switch
    {
        (IpProtocol.Tcp or IpProtocol.Udp, 5060 or 5061) => Signalling,
        (IpProtocol.Udp, >= 10000 and <= 20000) => Speech,
        _ => Verdict.None,
    };

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
