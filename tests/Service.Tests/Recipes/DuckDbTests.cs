using System.Globalization;
using System.Net;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.FlowLog;
using DuckDB.NET.Data;

namespace ConntrackStream.Service.Tests.Recipes;

/// <summary>docs/recipes/duckdb over a flow log as the service writes it.</summary>
public sealed class DuckDbTests : IDisposable
{
    private const int Starts = 25_000; // more than the 20,480 lines that DuckDB looks at
    private const long Begin = 1_770_091_506_789_012_000; // 2026-02-03T04:05:06.789012Z

    private readonly string _directory = Directory.CreateTempSubdirectory("cs-duckdb-").FullName;
    private readonly DuckDBConnection _connection = new("Data Source=:memory:");

    private string Log => Path.Combine(_directory, "flows.ndjson");

    public DuckDbTests() => _connection.Open();

    public void Dispose()
    {
        _connection.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public void A_log_that_begins_with_the_starts_of_a_large_table_has_all_its_columns()
    {
        WriteLog();
        Execute(RecipeFiles.Read("duckdb/flows.sql").Replace("/var/log/flows.ndjson", Log, StringComparison.Ordinal));
        Assert.Equal($"{Starts}", Ask("SELECT count(*) FROM flows WHERE event = 'start' AND tx_bytes IS NULL"));
        Assert.Equal("1500", Ask("SELECT tx_bytes FROM flows WHERE event = 'end'"));
        Assert.Equal($"{Begin / 1000}", Ask("SELECT epoch_us(\"start\") FROM flows WHERE event = 'end'"));
        Assert.Equal("ASSURED", Ask("SELECT status[2] FROM flows WHERE event = 'end'"));
        Assert.Equal("overrun 3", Ask("SELECT reason || ' ' || lost FROM flows WHERE event = 'gap'"));

        // what the recipe is for: a table that DuckDB makes by itself
        string columns = Ask($"SELECT string_agg(column_name, ' ') FROM (DESCRIBE SELECT * FROM read_json_auto('{Log}'))");
        Assert.DoesNotContain("tx_bytes", columns, StringComparison.Ordinal);
        columns = Ask($"SELECT string_agg(column_name, ' ') FROM (DESCRIBE SELECT * FROM read_json_auto('{Log}', sample_size = -1))");
        Assert.Contains("tx_bytes", columns, StringComparison.Ordinal);
    }

    /// <summary>Each query of the page gives what the page shows.</summary>
    [Fact]
    public void The_queries_of_the_page_run()
    {
        WriteLog();
        Execute(RecipeFiles.Read("duckdb/flows.sql").Replace("/var/log/flows.ndjson", Log, StringComparison.Ordinal));
        string page = File.ReadAllText(Repository.PathOf("docs", "recipes.md"));
        string[] queries = [.. page.Split("```sql\n").Skip(1).Select(static part => part.Split("```")[0])];
        Assert.Single(queries);
        Assert.Equal("198.51.100.2 443 1 1500", Ask(queries[0]));
    }

    private void WriteLog()
    {
        FlowRecordWriter writer = new("gw", null, FlowDirections.None, communityId: false);
        using FileStream log = File.Create(Log);
        byte[] buffer = new byte[4096];
        for (int i = 0; i < Starts; i++)
            Write(Change(FlowChangeKind.Started, i));
        FlowChange end = Change(FlowChangeKind.Ended, 0);
        end.Start = Begin;
        end.End = end.Time = Begin + 5_000_000_000;
        end.Flow.Present |= FlowFields.OriginalCounters | FlowFields.ReplyCounters | FlowFields.Status;
        (end.Flow.OriginalBytes, end.Flow.Status) = (1500, FlowStatus.SeenReply | FlowStatus.Assured);
        Write(end);
        Write(new FlowChange
        {
            Kind = FlowChangeKind.Gap,
            Time = Begin,
            Gap = new FlowGap(FlowGapReason.Overrun, Begin, Begin, Lost: 3, Recovered: 1),
        });

        void Write(in FlowChange change) => log.Write(buffer.AsSpan(0, writer.Write(buffer, change)));
    }

    private static FlowChange Change(FlowChangeKind kind, int number)
    {
        FlowTuple tuple = new()
        {
            Source = IpAddress.From(IPAddress.Parse("192.0.2.1")),
            Destination = IpAddress.From(IPAddress.Parse("198.51.100.2")),
            SourcePort = (ushort)(number + 1),
            DestinationPort = 443,
            Protocol = IpProtocol.Tcp,
            Family = FlowFamily.IPv4,
        };
        return new FlowChange
        {
            Kind = kind,
            Id = new FlowId(1, (ulong)number),
            Time = Begin + number,
            Flow = new Flow
            {
                Original = tuple,
                Reply = tuple with
                {
                    Source = tuple.Destination,
                    Destination = tuple.Source,
                    SourcePort = tuple.DestinationPort,
                    DestinationPort = tuple.SourcePort,
                },
                Present = FlowFields.BothTuples,
            },
        };
    }

    private void Execute(string sql)
    {
        using DuckDBCommand command = _connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    /// <summary>The first row, its values with spaces between them.</summary>
    private string Ask(string sql)
    {
        using DuckDBCommand command = _connection.CreateCommand();
        command.CommandText = sql;
        using DuckDBDataReader reader = command.ExecuteReader();
        Assert.True(reader.Read());
        return string.Join(' ', Enumerable.Range(0, reader.FieldCount)
            .Select(i => Convert.ToString(reader.GetValue(i), CultureInfo.InvariantCulture)));
    }
}
