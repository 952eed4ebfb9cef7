using System.Globalization;
using System.Text;
using System.Text.Json;
using ConntrackStream.Sinks.Nats;
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
                messages.Add(new StreamMessage(message));
        }

        return messages;
    }

    public ValueTask DisposeAsync() => _connection.DisposeAsync();
}

/// <summary>One message of the stream.</summary>
internal sealed class StreamMessage
{
    internal StreamMessage(INatsJSMsg<byte[]> message)
    {
        Subject = message.Subject;
        Id = message.Headers!["Nats-Msg-Id"].ToString();
        string[] words = message.Headers[MessageIdentity.Header].ToString().Split(' ');
        Run = words[0];
        First = long.Parse(words[1], CultureInfo.InvariantCulture);
        Last = long.Parse(words[2], CultureInfo.InvariantCulture);
        Previous = words.Length > 4 ? $"{words[3]} {words[4]}" : null;
        Records =
        [
            .. Encoding.UTF8.GetString(message.Data!).Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(static line => JsonElement.Parse(line)),
        ];
    }

    internal string Subject { get; }

    internal string Id { get; }

    internal string Run { get; }

    internal long First { get; }

    internal long Last { get; }

    internal string? Previous { get; }

    internal IReadOnlyList<JsonElement> Records { get; }

    /// <summary>
    /// The proof that a consumer has: within each run, the sequence numbers of all records, of copies once, are 1, 2, 3 … without a hole, a
    /// gap's seq to seq_to included; and copies have equal ids.
    /// </summary>
    /// <returns>Records of each run, by its id.</returns>
    internal static SortedDictionary<string, List<JsonElement>> Prove(IEnumerable<StreamMessage> messages)
    {
        SortedDictionary<string, List<JsonElement>> runs = new(StringComparer.Ordinal);
        Dictionary<string, (long, long)> ids = new(StringComparer.Ordinal);
        foreach (StreamMessage message in messages.OrderBy(static one => one.Run, StringComparer.Ordinal).ThenBy(static one => one.First))
        {
            if (!ids.TryAdd(message.Id, (message.First, message.Last)))
            {
                Assert.Equal(ids[message.Id], (message.First, message.Last));
                continue;
            }

            if (!runs.TryGetValue(message.Run, out List<JsonElement>? records))
                runs.Add(message.Run, records = []);
            long next = records.Count == 0 ? 1 : To(records[^1]) + 1;
            Assert.Equal(next, message.First);
            foreach (JsonElement record in message.Records)
            {
                Assert.Equal(next, record.GetProperty("seq").GetInt64());
                Assert.Equal(message.Run, record.GetProperty("run").GetString());
                next = To(record) + 1;
                records.Add(record);
            }

            Assert.Equal(next - 1, message.Last);
        }

        return runs;
    }

    private static long To(JsonElement record) =>
        (record.TryGetProperty("seq_to", out JsonElement to) ? to : record.GetProperty("seq")).GetInt64();
}
