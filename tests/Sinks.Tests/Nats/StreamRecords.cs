using System.Text;
using ConntrackStream.Sinks.Fleet;
using ConntrackStream.Sinks.Tests.Fleet;
using NATS.Client.Core;
using NATS.Client.JetStream;
using NATS.Client.JetStream.Models;

namespace ConntrackStream.Sinks.Tests.Nats;

/// <summary>The outside view: what a client that is not ours finds in the stream.</summary>
internal sealed class StreamRecords : IAsyncDisposable
{
    internal const string Name = "CONNTRACK";

    private readonly NatsConnection _connection;
    private readonly NatsJSContext _jetStream;

    internal StreamRecords(string url, NatsOpts? options = null)
    {
        _connection = new NatsConnection((options ?? NatsOpts.Default) with { Url = url });
        _jetStream = new NatsJSContext(_connection);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    internal async Task CreateAsync(Action<StreamConfig>? change = null)
    {
        StreamConfig config = new(Name, ["conntrack.>"]);
        change?.Invoke(config);
        await _jetStream.CreateStreamAsync(config, Token);
    }

    internal async Task UpdateAsync(Action<StreamConfig> change)
    {
        StreamConfig config = (await _jetStream.GetStreamAsync(Name, cancellationToken: Token)).Info.Config;
        change(config);
        await _jetStream.UpdateStreamAsync(config, Token);
    }

    /// <summary>Name of the server that leads; empty while there is none.</summary>
    internal async Task<string> LeaderAsync() =>
        (await _jetStream.GetStreamAsync(Name, cancellationToken: Token)).Info.Cluster?.Leader ?? "";

    internal async Task<long> CountAsync() =>
        (await _jetStream.GetStreamAsync(Name, cancellationToken: Token)).Info.State.Messages;

    internal async Task PublishAsync(string subject, string id, string header, string lines) =>
        (await _jetStream.PublishAsync(
            subject, Encoding.UTF8.GetBytes(lines), opts: new NatsJSPubOpts { MsgId = id },
            headers: new NatsHeaders { [MessageIdentity.Header] = header }, cancellationToken: Token)).EnsureSuccess();

    /// <summary>Takes a message from each consumer that has one, and gives it back, to be delivered again after a while.</summary>
    /// <returns>How many.</returns>
    internal async Task<int> GiveBackAsync(TimeSpan after)
    {
        int count = 0;
        NatsJSFetchOpts one = new() { MaxMsgs = 1 };
        await foreach (INatsJSConsumer consumer in _jetStream.ListConsumersAsync(Name, Token))
        {
            await foreach (INatsJSMsg<byte[]> message in consumer.FetchNoWaitAsync<byte[]>(one, cancellationToken: Token))
            {
                await message.NakAsync(new AckOpts { NakDelay = after }, Token);
                count++;
            }
        }

        return count;
    }

    /// <summary>All messages, from the first on.</summary>
    internal async Task<List<StreamMessage>> ReadAsync()
    {
        long count = await CountAsync();
        List<StreamMessage> messages = [];
        INatsJSConsumer consumer = await _jetStream.CreateOrderedConsumerAsync(Name, cancellationToken: Token);
        while (messages.Count < count)
        {
            NatsJSFetchOpts many = new() { MaxMsgs = 1000 };
            await foreach (INatsJSMsg<byte[]> message in consumer.FetchNoWaitAsync<byte[]>(many, cancellationToken: Token))
                messages.Add(Message(message));
        }

        return messages;
    }

    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    private static StreamMessage Message(INatsJSMsg<byte[]> message) => new(
        message.Subject, message.Headers!["Nats-Msg-Id"].ToString(), message.Headers[MessageIdentity.Header].ToString(), message.Data!);
}
