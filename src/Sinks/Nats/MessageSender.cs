using System.Globalization;
using ConntrackStream.Sinks.Fleet;
using ConntrackStream.Sinks.Fleet.Spool;
using NATS.Client.Core;
using NATS.Client.JetStream;
using NATS.Client.JetStream.Models;

namespace ConntrackStream.Sinks.Nats;

/// <summary>Sends messages of one host over one connection.</summary>
/// <param name="link">Disposed of with the sender; its end ends the waits for answers, too.</param>
internal sealed class MessageSender(NatsLink link, string subject, string hostToken) : IFleetLink
{
    private const int NoResponders = 503;

    public string Server => link.Server;

    public CancellationToken Lost => link.Lost;

    public string? Reason => link.Reason;

    /// <summary>Always null: a connection that does not work is lost.</summary>
    public string? Obstacle => null;

    public ValueTask DisposeAsync() => link.DisposeAsync();

    public void GiveWay()
    {
        // It is lost where nothing can be sent.
    }

    /// <summary>Sends one and waits for the acknowledgement, at most as long as a request of the connection. Never throws.</summary>
    public async Task<SendResult> SendAsync(Message message, CancellationToken ended)
    {
        MessageIdentity identity = MessageIdentity.Of(message);
        NatsHeaders headers = new() { [MessageIdentity.Header] = identity.ToString() };
        NatsJSPubOpts options = new() { MsgId = identity.Id(hostToken) };
        try
        {
            NatsResult<PubAckResponse> result = await link.JetStream.TryPublishAsync(
                subject, message.Lines, NatsRawSerializer<ReadOnlyMemory<byte>>.Default, options, headers, ended)
                .ConfigureAwait(false);
            return result.Success ? OfAnswer(result.Value) : Unanswered(result.Error);
        }
        catch (Exception e) when (NatsLink.IsFailure(e) || e is OperationCanceledException or ObjectDisposedException)
        {
            return Unanswered(e);
        }
    }

    private static SendResult OfAnswer(PubAckResponse answer)
    {
        if (answer.Error is not { } error)
            return new SendResult(answer.Duplicate ? SendOutcome.Duplicate : SendOutcome.Stored);
        return new SendResult(SendOutcome.Refused, string.Create(
            CultureInfo.InvariantCulture, $"{error.Description} ({error.ErrCode}){Remedy(error)}"));
    }

    // https://github.com/nats-io/nats-server/blob/main/server/errors.json
    private static string Remedy(ApiError error) => error.ErrCode switch
    {
        10077 => ": the stream is full and discards new messages; raise its limits, or let it discard old ones",
        10047 or 10023 => ": the server's JetStream has no storage left; give it more, or delete streams",
        10054 => ": the stream's maximum message size is too small; raise it, or lower Nats:MaxRecords",
        _ => "",
    };

    private SendResult Unanswered(Exception error) => new(SendOutcome.Unanswered, error switch
    {
        OperationCanceledException when link.Reason is { } reason => $"the connection ended: {reason}",
        OperationCanceledException => "the connection ended",
        NatsJSPublishNoResponseException or NatsNoRespondersException or NatsJSApiException { Error.Code: NoResponders } =>
            $"no stream takes {subject} (conntrack-stream collect --create-stream makes one), or its servers have no leader at the moment",
        _ => NatsLink.Describe(error, link.Reason),
    });
}
