//! The networks of the notes are trained for a few epochs: their losses are known figures.

use chainrule::calculus::differentiate::gradients;
use chainrule::data::matrix::Matrix;
use chainrule::lang::Tensor;
use chainrule::lang::evaluate::{Point, evaluate};
use chainrule::model::Program;
use chainrule::train::session::Session;
use chainrule::train::{Data, Event, Flow};

fn losses(text: &str, epochs: u32) -> Vec<f64> {
    let session = Session::of_program(text, std::path::Path::new("."), &|options| options.epochs = epochs);
    let mut losses = Vec::new();
    let mut listen = |event: &Event| {
        if let Event::Epoch { loss, .. } = event {
            losses.push(*loss);
        }
        Flow::Continue
    };
    session.expect("the model is right").run(&mut listen).expect("the run is stable");
    losses
}

#[test]
fn the_models_reach_their_figures() {
    for (name, text, epochs, want) in [
        ("logistic", include_str!("../../../models/logistic.cr"), 100, 0.5717873239881154),
        ("single_hidden", include_str!("../../../models/single_hidden.cr"), 20, 0.09453840114603104),
        ("deep", include_str!("../../../models/deep.cr"), 20, 0.1288773328364603),
        ("higham", include_str!("../../../models/higham.cr"), 500, 0.24882908865629),
        ("two_layer", include_str!("../../../models/two_layer.cr"), 20, 229114.63064089892),
        ("spiral", include_str!("../../../models/spiral.cr"), 100, 0.6852684855403077),
    ] {
        let loss = *losses(text, epochs).last().expect("there are epochs");
        assert!(((loss - want) / want).abs() < 1e-9, "{name}: {loss:e} against {want:e}");
    }
}

/// Higham & Higham's data from a fixed start, full batch, rate 0.5: PyTorch, JAX and NumPy give these losses.
#[test]
fn highams_net_follows_the_reference() {
    let text = include_str!("../../../models/higham.cr");
    let (head, _) = text.split_once("param  W2").expect("the parameters follow the data");
    let model = "param W2 : [2, 2] = [0.06286511054669665, 0.32021132522164103; -0.06605243164565094, 0.052450058576519853]\n\
        param b2 : [1, 2] = [-0.27212949142865495, -0.15815007818457727]\n\
        param W3 : [2, 3] = [-0.2678346805865555, 0.6520000225650686, -0.3518676179034963; 0.18079752745474237, 0.4735404815646211, -0.6327107355230263]\n\
        param b3 : [1, 3] = [0.2058152681870664, 0.5212566847213388, -0.06426733147201713]\n\
        param W4 : [3, 2] = [-0.3116372312686761, -0.10939583196627287; 0.0206629896736218, -0.6229554736265326; -1.1625153893174172, -0.3661336773517258]\n\
        param b4 : [1, 2] = [0.6832317352748429, -0.33259733674330677]\n\
        A2 = sigmoid(X*W2 + b2)\nA3 = sigmoid(A2*W3 + b3)\nA4 = sigmoid(A3*W4 + b4)\npredict A4\nloss quadratic_cost(A4, Y)\n";
    let known = [
        ("sgd(rate = 0.5)", [0.2746968596418231, 0.2727182752534785, 0.25021218165849535]),
        ("momentum(rate = 0.5, beta = 0.9)", [0.2765561386421723, 0.2761610617181642, 0.25021797494621784]),
        ("heavy_ball(rate = 0.5, beta = 0.9)", [0.2746968596418231, 0.27094361506822684, 0.24981930293961732]),
    ];
    for (optimizer, want) in known {
        let found = losses(&format!("{head}{model}train {optimizer}, batch = all\n"), 100);
        for (epoch, want) in [1usize, 2, 100].into_iter().zip(want) {
            let got = found[epoch - 1];
            assert!(((got - want) / want).abs() < 1e-10, "{optimizer} after {epoch}: {got} against {want}");
        }
    }
}

/// Note 002: the loop over the examples and the vectorised form give the same gradient.
#[test]
fn logistic_regression_looped_and_vectorised() {
    let mut program = Program::parse(include_str!("../../../models/logistic.cr")).expect("the model is right");
    let data = Data::of_program(&program, std::path::Path::new(".")).expect("the data is in the text");
    let (x, y) = (data.get("X").expect("inputs"), data.get("Y").expect("targets"));
    let wrt: Vec<_> = program.parameters.iter().map(|p| p.id).collect();
    let loss = program.loss.expect("there is a loss");
    let wanted = gradients(&mut program.graph, loss, &wrt);
    let gradient = |x: &Matrix, y: &Matrix| {
        let mut point = Point::default();
        let dim = chainrule::train::compile::example_dim(&program).expect("there are examples");
        point.extents.insert(dim, x.rows);
        let tensor = |m: &Matrix| Tensor { sizes: vec![m.rows, m.cols], values: m.values.clone() };
        point.values.insert(program.inputs[0], tensor(x));
        point.values.insert(program.targets[0], tensor(y));
        point.values.insert(wrt[0], Tensor { sizes: vec![2, 1], values: vec![0.3, -0.2] });
        point.values.insert(wrt[1], Tensor::scalar(0.1));
        let values = evaluate(&program.graph, &wanted, &point).expect("all variables have values");
        wanted.iter().flat_map(|&g| values.get(g).values.clone()).collect::<Vec<f64>>()
    };
    let all = gradient(x, y);
    let mut sum = vec![0.0; all.len()];
    for row in 0..x.rows as u32 {
        let one = gradient(&x.select_rows(&[row]), &y.select_rows(&[row]));
        sum.iter_mut().zip(one).for_each(|(s, g)| *s += g / x.rows as f64);
    }
    for (a, b) in all.iter().zip(&sum) {
        assert!((a - b).abs() < 1e-14, "{a} against {b}");
    }
}

/// Note 002: weights that start at zero leave all units of a layer the same for ever.
#[test]
fn zero_initialisation_keeps_units_identical() {
    let text = include_str!("../../../models/single_hidden.cr").replace("normal(0, 0.5)", "zeros");
    let session = Session::of_program(&text, std::path::Path::new("."), &|o| o.epochs = 5).expect("the model is right");
    let outcome = session.run(&mut |_| Flow::Continue).expect("the run is stable");
    let w1 = &outcome.trained.members[0].parameters[..16];
    assert!(w1.chunks(8).all(|row| row.iter().all(|w| *w == row[0])), "{w1:?}");
}
