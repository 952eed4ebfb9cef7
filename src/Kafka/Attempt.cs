using System.Text;
using Confluent.Kafka;
using ConntrackStream.Sinks.Fleet;
using ConntrackStream.Sinks.Fleet.Spool;

namespace ConntrackStream.Kafka;

/// <summary>One message on its way to the topic, as it is handed to the client, and what becomes of it.</summary>
internal sealed class Attempt : TaskCompletionSource<SendResult>
{
    /// <summary>Name of the header with the message's id, the same for each copy.</summary>
    internal const string IdHeader = "Conntrack-Id";

    private CancellationTokenRegistration _ended;

    /// <param name="key">The host, in UTF-8: it decides over the partition.</param>
    /// <param name="hostToken">For the id.</param>
    internal Attempt(Message message, byte[] key, string hostToken)
        : base(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        MessageIdentity identity = MessageIdentity.Of(message);
        Content = new Message<byte[], byte[]>
        {
            Key = key,
            Value = message.Lines.ToArray(), // the client takes nothing else; the lines' own buffer is used again
            Headers = new Headers
            {
                { MessageIdentity.Header, Encoding.ASCII.GetBytes(identity.ToString()) },
                { IdHeader, Encoding.ASCII.GetBytes(identity.Id(hostToken)) },
            },
        };
    }

    internal Message<byte[], byte[]> Content { get; }

    /// <summary>With the session, nothing is waited for any longer.</summary>
    internal void EndWith(CancellationToken ended, KafkaHealth health) => _ended = ended.UnsafeRegister(
        static state =>
        {
            (Attempt attempt, KafkaHealth health) = ((Attempt, KafkaHealth))state!;
            attempt.TrySetResult(new SendResult(
                SendOutcome.Unanswered, health.Reason is { } reason ? $"the connection ended: {reason}" : "the connection ended"));
        },
        (this, health));

    internal void Complete(in SendResult result)
    {
        _ended.Unregister();
        TrySetResult(result);
    }
}
