using System.Buffers;
using System.Text.Json;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Service.Api.Streams;

/// <summary>
/// One client's events: changes of the live view that match its filter, gaps, and reports of refused flows, as records of the flow log. An
/// event's name is the record's <c>event</c>: start, update, end, gap or refused.
/// </summary>
/// <param name="filter">Asked of each change as it is. What has no flow is for every client.</param>
/// <param name="records">For this client alone.</param>
internal sealed class ChangeEvents(
    ChangeRing ring, FlowFilter filter, IRecordWriter records, string host, EventWriter output, TimeSpan heartbeat, TimeProvider time)
{
    private readonly FlowChange[] _read = new FlowChange[64];
    private readonly byte[] _record = new byte[ConntrackText.MaxLineBytes];
    private long _next = 1;
    private long _told; // number of the last id that the client was sent
    private long _at; // time of the change before the next one, ns since the Unix epoch
    private long _sent; // when the client was sent something; a timestamp

    /// <summary>Sends events until the stream ends or the client goes.</summary>
    /// <param name="after">The last event that the client has had, as it says; null: only what happens from now on.</param>
    internal async Task RunAsync(EventPosition? after, CancellationToken cancellation)
    {
        _at = time.UnixNanoseconds();
        Begin(after);
        await FlushAsync().ConfigureAwait(false);
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            (int copied, long missed) = ring.Read(ref _next, _read, out Task? more);
            if (missed > 0)
                AddGap("client_behind", missed, _at, _next - copied - 1);
            AddChanges(copied);
            if (copied > 0 && !output.IsFull)
                continue;
            await FlushAsync().ConfigureAwait(false);
            if (copied > 0)
                continue;
            if (more is null)
                return;
            await WaitAsync(more, cancellation).ConfigureAwait(false);
        }
    }

    private void Begin(EventPosition? after)
    {
        _next = ring.Last + 1;
        if (after is not { } last)
        {
            AddOpen(isResumed: false);
        }
        else if (last.Ring == ring.Name && last.Number < _next)
        {
            (_next, _at) = (last.Number + 1, last.Time);
            AddOpen(isResumed: true);
        }
        else
        {
            AddOpen(isResumed: false);
            AddGap("not_kept", lost: null, last.Time, _next - 1);
        }
    }

    private void AddChanges(int count)
    {
        long number = _next - count;
        for (int i = 0; i < count; i++, number++)
        {
            ref FlowChange change = ref _read[i];
            _at = change.Time;
            if (change.HasFlow && !filter.Matches(change.Flow))
                continue;
            int length = records.Write(_record, change) - 1; // without its line feed
            if (length > 0)
                output.Add(RecordNames.Of(change.Kind), IdAt(number), _record.AsSpan(0, length));
        }

        Array.Clear(_read, 0, count); // extras are not held longer than needed
    }

    /// <summary>
    /// Waits for more, or for the time of the next heartbeat: changes that are not for this client are no sign of life to it.
    /// </summary>
    private async Task WaitAsync(Task more, CancellationToken cancellation)
    {
        TimeSpan left = heartbeat - time.GetElapsedTime(_sent);
        if (!await more.IsDoneWithinAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero, time, cancellation).ConfigureAwait(false))
            output.AddHeartbeat(_told < _next - 1 ? IdAt(_next - 1) : null);
    }

    private Task FlushAsync()
    {
        if (!output.IsEmpty)
            _sent = time.GetTimestamp();
        return output.FlushAsync();
    }

    /// <param name="number">Of the last change before the next one that the client gets.</param>
    private void AddGap(string reason, long? lost, long from, long number) => Add("gap"u8, number, json =>
    {
        json.WriteString("reason", reason);
        if (lost is { } changes)
            json.WriteNumber("lost", changes);
        else
            json.WriteNull("lost");
        json.WriteString("from", TimestampText.Format(from));
        json.WriteString("to", TimestampText.Format(time.UnixNanoseconds()));
    });

    private void AddOpen(bool isResumed) => Add("open"u8, _next - 1, json => json.WriteBoolean("resumed", isResumed));

    private void Add(ReadOnlySpan<byte> name, long number, Action<Utf8JsonWriter> content)
    {
        ArrayBufferWriter<byte> data = new(256);
        using (Utf8JsonWriter json = new(data))
        {
            json.WriteStartObject();
            json.WriteNumber("v", 1);
            json.WriteString("time", TimestampText.Format(time.UnixNanoseconds()));
            json.WriteString("host", host);
            json.WriteString("event", name);
            content(json);
            json.WriteEndObject();
        }

        output.Add(name, IdAt(number), data.WrittenSpan);
    }

    private string IdAt(long number)
    {
        _told = number;
        return new EventPosition(ring.Name, number, _at).ToString();
    }
}
