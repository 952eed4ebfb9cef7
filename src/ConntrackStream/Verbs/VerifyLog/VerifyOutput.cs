using System.Buffers;
using System.Globalization;
using System.Text.Json;
using ConntrackStream.Service.Cli;
using ConntrackStream.Sinks.Archive.Verify;

namespace ConntrackStream.Service.Verbs.VerifyLog;

/// <summary>Violations as they are found, then a line for each log: for people, or as one JSON object a line.</summary>
internal sealed class VerifyOutput(CliContext context, bool asJson)
{
    /// <summary>A log that is wrong in one place may be so in all of them.</summary>
    private const int MostViolations = 10_000;

    /// <param name="number">How many there are with this one.</param>
    internal void Write(Violation violation, long number)
    {
        if (number > MostViolations)
        {
            if (number == MostViolations + 1)
                context.Tell($"more than {MostViolations} violations; the others are only counted");
            return;
        }

        if (asJson)
        {
            Json("violation", json =>
            {
                json.WriteString("file", violation.Path);
                if (violation.Line > 0)
                    json.WriteNumber("line", violation.Line);
                json.WriteString("rule", violation.Rule);
                json.WriteString("detail", violation.Detail);
            });
            return;
        }

        string line = violation.Line > 0 ? string.Create(CultureInfo.InvariantCulture, $"{violation.Line}:") : "";
        context.Print($"{violation.Path}:{line} {violation.Rule}: {violation.Detail}");
    }

    internal void Write(VerifyReport log)
    {
        if (asJson)
        {
            Json("log", json => Write(json, log));
            return;
        }

        string verdict = log.Violations == 0 ? "holds" : string.Create(CultureInfo.InvariantCulture, $"{log.Violations} VIOLATIONS");
        context.Print(string.Create(
            CultureInfo.InvariantCulture,
            $"{log.Log}: {verdict}; {log.Records} records in {log.Files} files, {log.Flows} flows, {log.Open} of them without an end "
                + $"(alive, or ended in a gap), {log.Gaps} gaps"));
        if (log.IsPartial)
            context.Print($"{log.Log}: PARTLY CHECKED: more flows are open than memory is set aside for, or their ids are of another kind");
    }

    private static void Write(Utf8JsonWriter json, VerifyReport log)
    {
        json.WriteString("log", log.Log);
        json.WriteBoolean("holds", log.Violations == 0);
        json.WriteBoolean("partly_checked", log.IsPartial);
        json.WriteNumber("files", log.Files);
        json.WriteNumber("records", log.Records);
        json.WriteNumber("flows", log.Flows);
        json.WriteNumber("without_end", log.Open);
        json.WriteNumber("gaps", log.Gaps);
        json.WriteNumber("violations", log.Violations);
    }

    private void Json(string type, Action<Utf8JsonWriter> write)
    {
        ArrayBufferWriter<byte> line = new();
        using (Utf8JsonWriter json = new(line))
        {
            json.WriteStartObject();
            json.WriteString("type", type);
            write(json);
            json.WriteEndObject();
        }

        line.Write("\n"u8);
        context.Output.Write(line.WrittenSpan);
    }
}
