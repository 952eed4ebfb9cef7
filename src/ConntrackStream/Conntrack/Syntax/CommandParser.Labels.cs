namespace ConntrackStream.Service.Conntrack.Syntax;

internal sealed partial class CommandParser
{
    private LabelSet? _labels, _changedLabels;

    private void TakeLabel(char option)
    {
        _given |= option switch { 'l' => Given.Label, '<' => Given.AddLabel, _ => Given.DeleteLabel };
        _session.LoadLabels();
        if ((_given & (Given.AddLabel | Given.DeleteLabel)) == (Given.AddLabel | Given.DeleteLabel))
            throw new ConntrackFault(ConntrackFault.Other, "cannot use --label-add and --label-del at the same time");
        string? names = option == '>' ? _reader.TakeOperand() : _reader.Value;
        if (names is null) // all labels
            return;
        ref LabelSet? labels = ref option == 'l' ? ref _labels : ref _changedLabels;
        foreach (string name in names.Split(','))
            labels = (labels ?? default).With(NumberOf(name));
    }

    private int NumberOf(string name) => _session.Labels is { } labels && labels.TryGetBit(name, out int bit) ? bit
        : throw ConntrackFault.Usage($"unknown label '{name}'");
}
