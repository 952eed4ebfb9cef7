using ConntrackStream.Sinks.Fleet;
using ConntrackStream.Sinks.Fleet.Spool;

namespace ConntrackStream.Sinks.Nats;

/// <summary>NATS JetStream as the engine of one host.</summary>
internal sealed class NatsEngine(NatsOptions options, string host, TimeProvider time) : IFleetEngine
{
    private const int LeastPayload = FrameHeader.MaxPayload + 4096; // with headers

    private readonly string _hostToken = HostToken.Of(host);

    public string Name => "NATS";

    public string Section => "Nats";

    public string Target { get; } = HostSubject.Of(options.Subject, host);

    internal string Host => host;

    public void CheckFiles() => NatsAccess.Read(options, host);

    public async Task<IFleetLink> OpenAsync(CancellationToken cancellationToken)
    {
        NatsLink link = await NatsLink.OpenAsync(options, $"conntrack-stream {host}", time, cancellationToken).ConfigureAwait(false);
        if (link.MaxPayload >= LeastPayload)
            return new MessageSender(link, Target, _hostToken);
        FleetFailureException failure = new(
            $"server {link.Server} takes messages of up to {link.MaxPayload} bytes: set its max_payload to {LeastPayload} or more");
        await link.DisposeAsync().ConfigureAwait(false);
        throw failure;
    }
}
