using System.Globalization;
using System.Text;
using System.Text.Json;

namespace ConntrackStream.Sinks.Tests.Fleet;

/// <summary>One message, as a client that is not ours finds it.</summary>
internal sealed class StreamMessage
{
    /// <param name="place">The subject, or the key.</param>
    /// <param name="sequence">The header.</param>
    internal StreamMessage(string place, string id, string sequence, byte[] lines)
    {
        (Place, Id) = (place, id);
        string[] words = sequence.Split(' ');
        Run = words[0];
        First = long.Parse(words[1], CultureInfo.InvariantCulture);
        Last = long.Parse(words[2], CultureInfo.InvariantCulture);
        Previous = words.Length > 4 ? $"{words[3]} {words[4]}" : null;
        Records =
        [
            .. Encoding.UTF8.GetString(lines).Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(static line => JsonElement.Parse(line)),
        ];
    }

    internal string Place { get; }

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
