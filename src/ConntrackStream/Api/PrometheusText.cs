using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace ConntrackStream.Service.Api;

/// <summary>
/// The present measurements of a meter in Prometheus's text format 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/.
/// </summary>
internal static class PrometheusText
{
    internal const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    internal static string Write(Meter meter)
    {
        StringBuilder text = new();
        Instrument? last = null;
        using MeterListener listener = new()
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter == meter)
                    listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>(
            (instrument, value, labels, _) => Append(instrument, value.ToString(CultureInfo.InvariantCulture), labels));
        listener.SetMeasurementEventCallback<double>(
            (instrument, value, labels, _) => Append(instrument, value.ToString(CultureInfo.InvariantCulture), labels));
        listener.Start();
        listener.RecordObservableInstruments();
        return text.ToString();

        void Append(Instrument instrument, string value, ReadOnlySpan<KeyValuePair<string, object?>> labels)
        {
            if (instrument != last)
            {
                string type = instrument is ObservableCounter<long> ? "counter" : "gauge";
                text.Append(
                    CultureInfo.InvariantCulture, $"# HELP {instrument.Name} {instrument.Description}\n# TYPE {instrument.Name} {type}\n");
            }

            last = instrument;
            text.Append(instrument.Name);
            for (int i = 0; i < labels.Length; i++)
                text.Append(i == 0 ? '{' : ',').Append(labels[i].Key).Append("=\"").Append(Escape((string)labels[i].Value!)).Append('"');
            text.Append(labels.Length > 0 ? "} " : " ").Append(value).Append('\n');
        }
    }

    private static string Escape(string value) =>
        value.Replace("\\", "\\\\", StringComparison.Ordinal)
            .Replace("\"", "\\\"", StringComparison.Ordinal)
            .Replace("\n", "\\n", StringComparison.Ordinal);
}
