"""python sweep_optuna.py, as often and on as many machines as you like: they share one journal."""

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

import biosnn as bs

DATA = bs.data.randman(n_classes=2, n_units=20, samples_per_class=150, smoothness=2.0, seed=1)
TRAIN, VALIDATION, TEST = bs.data.split(DATA, seed=1)


def network(sigma_u, alpha):
    """A Dalian network at its start."""
    net = bs.Network(dt=2e-3)
    E, _ = bs.dalian_layer(net, net.input(DATA.n_units), 60, 20)
    net.connect(E, net.readout(2, tau_mem=DATA.duration))
    options = {"closed_loop": False, "seed": 1, "progress": False}
    bs.fluctuation_driven(net, TRAIN, sigma_u=sigma_u, alpha=alpha, **options)
    return net


def objective(trial):
    """The accuracy on trials that are not trained on."""
    net = network(trial.suggest_float("sigma_u", 0.5, 1.5), trial.suggest_float("alpha", 0.1, 0.9))
    rate = trial.suggest_float("learning_rate", 1e-4, 2e-2, log=True)
    bs.train(net, TRAIN, epochs=10, batch=50, optimizer=bs.Adam(rate), seed=1, progress=False)
    return bs.evaluate(net, VALIDATION).accuracy


if __name__ == "__main__":
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        study_name="starts",
        storage=JournalStorage(JournalFileBackend("starts.journal")),
        direction="maximize",
        load_if_exists=True,
        sampler=optuna.samplers.TPESampler(seed=None),
    )
    study.optimize(objective, n_trials=5)
    print(f"{len(study.trials)} trials; the best has {study.best_value:.2f}: {study.best_params}")
